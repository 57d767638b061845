// The calls of a problem, checked and laid out for the native search.

#pragma once

#include "_sound.h"

#include <algorithm>

namespace {

constexpr int32_t READ = 0, WRITE = 1, UPDATE = 2, ILLEGAL = -1, ANYWHERE = -1, UNASKED = -2;
constexpr uint32_t NONE = UINT32_MAX;

struct Call {
    int32_t number, need, target;   // its class, and what that says
    uint32_t due;                   // the frontier of its return, NONE if there is none
    int32_t rescue;                 // see rescues in window.py
    uint16_t slot;
    uint8_t kind;
    bool invoked;

    bool returns() const { return due != NONE; }
};

// What is known of all calls together.
struct Outline {
    size_t classes = 0;
    uint32_t returns = 0;           // how many there are
    size_t overlap = 0, open = 0;   // the most open before a return that return, and their sum
    bool anywhere = false;          // may some call lead to any state?
};

// Lays out the calls that these columns of a problem and its table tell of.
class Calls {
  public:
    // Do the columns fit together?
    bool lay_out(const vector<int32_t> &events, const vector<int32_t> &classes,
                 const vector<int32_t> &kinds, const vector<int32_t> &needs,
                 const vector<int32_t> &targets) {
        if (!sound_classes(classes, kinds, needs, targets)) return false;
        outline.classes = kinds.size();
        calls.reserve(classes.size());
        for (int32_t number : classes)
            calls.push_back({number, needs[size_t(number)], targets[size_t(number)], UNSEEN, -1, 0,
                             uint8_t(kinds[size_t(number)]), false});
        return walk_back(events);
    }

    vector<Call> calls;
    Outline outline;

  private:
    static constexpr uint32_t UNSEEN = NONE - 1;

    // From the last event to the first: so an invocation knows whether its call returns.
    bool walk_back(const vector<int32_t> &events) {
        for (int32_t event : events) outline.returns += event < 0;
        uint32_t left = outline.returns;
        size_t open = 0;
        for (size_t i = events.size(); i-- > 0;) {
            auto number = size_t(events[i] < 0 ? ~events[i] : events[i]);
            if (number >= calls.size() || calls[number].invoked) return false;
            Call &call = calls[number];
            if (events[i] < 0) {
                if (call.due != UNSEEN) return false;
                call.due = --left;
                outline.overlap = std::max(outline.overlap, ++open);
                outline.open += open;
                continue;
            }
            call.invoked = true;
            outline.anywhere = outline.anywhere || (call.kind == UPDATE && call.target == UNASKED);
            if (call.due == UNSEEN) call.due = NONE;
            else open--;
        }
        return open == 0;
    }
};

// Calls that were laid out once, and are kept for the searches of them, as a capsule of this name.
constexpr const char *KEPT = "checker.problem";
struct Kept {
    vector<int32_t> events;
    Calls calls;
};

}  // namespace
