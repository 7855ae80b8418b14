// What a shared library shows of itself.
#pragma once

#if defined(__GNUC__)
#define WIREBIRD_API __attribute__((visibility("default")))
#else
#define WIREBIRD_API
#endif
