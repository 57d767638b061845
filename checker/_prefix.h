// The shortest prefix that fails: the native twin of checker/monitors/prefix.py.

#pragma once

#include <algorithm>
#include <cstdint>

namespace {

using Place = int64_t;              // of an op or an event
constexpr Place HOLDS = -1;
constexpr Place NEVER = INT64_MAX;

// The place where the shortest prefix that fails ends, or HOLDS.  `fails(last)` judges the prefix
// up to and with a place: HOLDS, or a place, not later, whose prefix fails too.
template <class Fails> Place first_failure(Place count, Fails fails) {
    Place high = count ? fails(count - 1) : HOLDS;
    if (high == HOLDS) return HOLDS;
    for (Place low = 0, step = 1; low < high;) {
        Place middle = std::max(low, high - step), worst = fails(middle);
        if (worst == HOLDS) low = middle + 1;
        else high = worst;
        step = low ? (high - low + 1) / 2 : 2 * step;
    }
    fails(high);                    // so that what it says of it is the last that it says
    return high;
}

}  // namespace
