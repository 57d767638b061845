// What the native search is given, checked and laid out for it: calls, their classes and returns.

#pragma once

#include "_buffers.h"
#include "_sound.h"

#include <algorithm>

namespace {

constexpr int32_t READ = 0, WRITE = 1, UPDATE = 2, ILLEGAL = -1, ANYWHERE = -1, UNASKED = -2;
constexpr uint32_t NONE = UINT32_MAX;
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
        return std::equal(word, word + Words, other.word);
    }
};

struct Call {
    int32_t number, need, target;   // its class, and what that says
    uint32_t due;                   // the frontier of its return, NONE if there is none
    int32_t rescue;                 // see rescues in window.py
    uint16_t slot;
    uint8_t kind;
    bool invoked;

    bool returns() const { return due != NONE; }
};

struct Limits {
    unsigned long long cuts = 0, steps_max = 0, memory_max = 0, check_every = 1, leaves_max = 0;
    unsigned long long patience = 0, growth = 1;
};

// The columns of a problem and its table, and what is asked of Python.
class Problem {
  public:
    // Lays the calls out.  Does it all fit together?
    bool lay_out(const vector<int32_t> &classes, const vector<int32_t> &kinds,
                 const vector<int32_t> &needs, const vector<int32_t> &targets) {
        if (starts.empty() || !sound_classes(classes, kinds, needs, targets)) return false;
        for (int32_t state : starts)
            if (!is_state(state)) return false;
        class_count = kinds.size();
        calls.resize(classes.size());
        for (size_t i = 0; i < calls.size(); i++) {
            auto number = size_t(classes[i]);
            calls[i] = {classes[i], needs[number], targets[number], UNSEEN, -1, 0,
                        uint8_t(kinds[number]), false};
        }
        return walk_back();
    }

    vector<int32_t> events, starts;
    vector<Call> calls;
    size_t class_count = 0;
    uint32_t returns = 0;           // how many there are
    size_t overlap = 0, open = 0;   // the most open before a return that return, and their sum
    bool anywhere = false;          // may some call lead to any state?
    Limits limits;
    PyObject *step = nullptr, *expired = nullptr, *help = nullptr;

  private:
    static constexpr uint32_t UNSEEN = NONE - 1;

    // From the last event to the first: so an invocation knows whether its call returns.
    bool walk_back() {
        for (int32_t event : events) returns += event < 0;
        uint32_t left = returns;
        size_t now = 0;
        for (size_t i = events.size(); i-- > 0;) {
            auto number = size_t(events[i] < 0 ? ~events[i] : events[i]);
            if (number >= calls.size() || calls[number].invoked) return false;
            Call &call = calls[number];
            if (events[i] < 0) {
                if (call.due != UNSEEN) return false;
                call.due = --left;
                overlap = std::max(overlap, ++now);
                open += now;
                continue;
            }
            call.invoked = true;
            anywhere = anywhere || (call.kind == UPDATE && call.target == UNASKED);
            if (call.due == UNSEEN) call.due = NONE;
            else now--;
        }
        return now == 0;
    }
};

}  // namespace
