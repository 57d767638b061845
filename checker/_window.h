// What is open when: the calls of a problem, return by return: the native twin of window.py.

#pragma once

#include "_problem.h"


namespace {

struct Call {
    int32_t number, need, target;   // its class, and what that says
    uint16_t slot;
    uint8_t kind;
    bool returns;
};

struct Pending {                    // the calls of one class that never return
    int32_t number, target;
    uint8_t kind;
    vector<std::pair<uint32_t, int32_t>> calls;     // (how many were invoked before, call)
};

// The calls open before each return lie in one array, in the order of their returns.
template <int Words> class Window {
  public:
    using Slots = Mask<Words>;

    struct Frontier {
        size_t open;                // where its calls begin; the next frontier's begin is the end
        uint32_t invoked;           // pending calls so far
        Slots writes, reads;
        Slots arrived;              // reads invoked since the return before
    };
    explicit Window(const Problem &problem) : problem(problem) {
        count_returns();
        if (problem.cuts & DEAD && !leads_anywhere()) rescues.assign(calls.size(), -1);
    }

    // Lay out all up to a frontier; what comes later is most often never asked for.
    void reach_out(uint32_t at) {
        while (frontiers.size() <= at) {
            int32_t event = problem.events[next++];
            if (event < 0) leave(uint32_t(~event));
            else if (due[event] != NONE) enter(uint32_t(event));
            else wait(event);
        }
    }

    uint32_t need_of(uint32_t at) const { return open[frontiers[at].open]; }
    const uint32_t *begin(uint32_t at) const { return &open[frontiers[at].open]; }
    const uint32_t *end(uint32_t at) const {
        return open.data() + (at + 1 < frontiers.size() ? frontiers[at + 1].open : open.size());
    }

    const Problem &problem;
    vector<Call> calls;
    vector<uint32_t> due, open;             // by call: the frontier of its return; see Frontier
    vector<int32_t> rescues;                // by call, see window.py
    vector<Pending> pending;                // by age
    vector<Frontier> frontiers;             // as far as they are laid out
    uint32_t returns = 0;                   // how many there will be

  private:
    void count_returns() {
        calls.resize(problem.classes.size());
        due.assign(calls.size(), NONE);
        ages.assign(problem.kinds.size(), NONE);
        for (int32_t event : problem.events)
            if (event < 0) due[~event] = returns++;
        frontiers.reserve(returns);
        open.reserve(2 * size_t(returns));
    }

    // May some call lead anywhere, so that nothing is known of rescues?
    bool leads_anywhere() const {
        for (int32_t event : problem.events) {
            int32_t number = problem.classes[event < 0 ? ~event : event];
            if (problem.kinds[number] == UPDATE && problem.targets[number] == UNASKED) return true;
        }
        return false;
    }

    // A call that returns is invoked.
    void enter(uint32_t event) {
        Call &call = begun(int32_t(event), true);
        call.slot = free.empty() ? slots++ : free.back();
        if (!free.empty()) free.pop_back();
        if (call.kind != UPDATE) (call.kind == WRITE ? writes : reads).set(call.slot);
        if (call.kind == READ) arrived.set(call.slot);
        auto later = [&](uint32_t a, uint32_t b) { return due[a] < due[b]; };
        now.insert(std::upper_bound(now.begin(), now.end(), event, later), event);
    }
    // One that never returns.
    void wait(int32_t event) {
        const Call &call = begun(event, false);
        uint32_t &age = ages[call.number];
        if (age == NONE) {
            age = uint32_t(pending.size());
            pending.push_back({call.number, call.target, call.kind, {}});
        }
        pending[age].calls.push_back({invoked++, event});
    }
    Call &begun(int32_t event, bool returns) {
        int32_t number = problem.classes[event];
        Call &call = calls[event];
        call = {number, problem.needs[number], problem.targets[number], 0,
                uint8_t(problem.kinds[number]), returns};
        if (!rescues.empty() && call.kind != READ && call.target >= 0)
            latest(call.target) = int32_t(frontiers.size());
        return call;
    }
    // A call returns: here is a frontier.
    void leave(uint32_t event) {
        const Call &call = calls[event];
        if (!rescues.empty() && call.kind != WRITE && call.need != ANYWHERE)
            rescues[event] = latest(call.need);
        frontiers.push_back({open.size(), invoked, writes, reads, arrived});
        arrived = Slots{};
        open.insert(open.end(), now.begin(), now.end());
        now.erase(now.begin());
        free.push_back(call.slot);
        if (call.kind != UPDATE) (call.kind == WRITE ? writes : reads).clear(call.slot);
    }
    // Where the last call was invoked, so far, that leads to a state: see rescues in window.py.
    int32_t &latest(int32_t state) {
        uint32_t number = states.number(uint32_t(state), uint32_t(latest_by_state.size()));
        if (number == latest_by_state.size()) latest_by_state.push_back(-1);
        return latest_by_state[number];
    }

    size_t next = 0;                        // the event that is laid out next
    vector<uint32_t> now, ages;             // what is open; by class: its place in pending
    vector<uint16_t> free;
    uint16_t slots = 0;
    uint32_t invoked = 0;
    Slots writes, reads, arrived;
    Index states;
    vector<int32_t> latest_by_state;
};

}  // namespace
