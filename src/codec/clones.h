// Loops over bytes that the compiler makes once for every x86-64 and once for those with AVX2; the dynamic linker takes
// the one that fits the processor. Nothing else changes: the source is the same, and so are the results.
#pragma once

// Sanitizers instrument what the dynamic linker calls before they are ready.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define CODEC_CLONES [[gnu::target_clones("avx2", "default")]]
#else
#define CODEC_CLONES
#endif
