#include "auth/operation_limits.h"

#include <algorithm>

namespace auth {

OperationRates::OperationRates(const PerSecond& rates)
    : rates_{per_second(rates.publish, rates.publish),
             per_second(rates.subscribe, std::max(rates.subscribe, rates.subscribe_burst)),
             per_second(rates.history, rates.history), per_second(rates.presence, rates.presence),
             per_second(rates.rpc, rates.rpc)} {}

}  // namespace auth
