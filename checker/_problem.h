// What the native search is given.

#pragma once

#include "_buffers.h"
#include "_calls.h"

#include <algorithm>

namespace {

enum ShortCut { READS = 1, FIRST = 2, COVER = 4, LATE = 8, BLAME = 16, DEAD = 32 };
enum Status { VALID, INVALID, STEPS, MEMORY, TIME, TOLD };

// A set of slots; Words is 1 unless more than 64 calls overlap.
template <int Words> struct Mask {
    uint64_t word[Words] = {};

    bool has(unsigned slot) const { return word[slot / 64] >> slot % 64 & 1; }
    void set(unsigned slot) { word[slot / 64] |= uint64_t{1} << slot % 64; }
    void clear(unsigned slot) { word[slot / 64] &= ~(uint64_t{1} << slot % 64); }
    bool empty() const { return *this == Mask{}; }
    Mask without(const Mask &other) const {
        Mask left;
        for (int i = 0; i < Words; i++) left.word[i] = word[i] & ~other.word[i];
        return left;
    }
    bool operator==(const Mask &other) const {
        bool equal = true;
        for (int i = 0; i < Words; i++) equal = equal && word[i] == other.word[i];
        return equal;
    }
};

struct Limits {
    unsigned long long cuts = 0, steps_max = 0, memory_max = 0, check_every = 1, leaves_max = 0;
    unsigned long long patience = 0, growth = 1;
};

// What a search is given: the calls are its own, the rest is not.
struct Problem {
    const int32_t *events = nullptr;
    vector<Call> calls;
    Outline outline;
    vector<int32_t> starts;
    Limits limits;
    PyObject *step = nullptr, *expired = nullptr, *help = nullptr;
};

}  // namespace
