// What every native function asks of its numbers before it uses them as places in an array.

#pragma once

#include <cstddef>
#include <cstdint>

#include "_arena.h"

namespace {

constexpr int32_t NUMBERS_MAX = 1 << 26;    // of states and of classes: each takes memory

enum Seen : char { NEVER_SEEN, INVOKED, RETURNED };

inline bool is_state(int32_t number) { return number >= 0 && number < NUMBERS_MAX; }

// Are these the columns of a table, and classes of it (checker/problem.py)?
template <class Column>
bool sound_classes(const Column &classes, const Column &kinds, const Column &needs,
                   const Column &targets) {
    constexpr int32_t nowhere = -1, unasked = -2, write = 1, update = 2;
    size_t count = kinds.size();
    if (needs.size() != count || targets.size() != count) return false;
    for (size_t i = 0; i < classes.size(); i++)
        if (classes[i] < 0 || size_t(classes[i]) >= count) return false;
    for (size_t i = 0; i < count; i++) {
        if (kinds[i] < 0 || kinds[i] > update) return false;
        if (needs[i] < nowhere || needs[i] >= NUMBERS_MAX || targets[i] >= NUMBERS_MAX)
            return false;
        if (targets[i] < (kinds[i] == write ? 0 : needs[i] == nowhere ? unasked : nowhere))
            return false;
    }
    return true;
}

// Are these the columns of a problem and its table?  And what is seen of each call.
template <class Column>
bool sound(const Column &events, const Column &classes, const Column &kinds, const Column &needs,
           const Column &targets, vector<char> &seen) {
    if (!sound_classes(classes, kinds, needs, targets)) return false;
    seen.assign(classes.size(), NEVER_SEEN);
    for (size_t at = 0; at < events.size(); at++) {
        int32_t event = events[at];
        auto call = size_t(event < 0 ? ~event : event);
        if (call >= seen.size() || seen[call] != (event < 0 ? INVOKED : NEVER_SEEN)) return false;
        seen[call]++;
    }
    return true;
}

}  // namespace
