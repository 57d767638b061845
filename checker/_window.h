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
        lay_out();
        if (problem.cuts & DEAD) find_rescues();
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
    vector<Frontier> frontiers;

  private:
    // One frontier for each return event.
    void lay_out() {
        calls.resize(problem.classes.size());
        due.assign(calls.size(), NONE);
        uint32_t returned = 0, invoked = 0;
        for (int32_t event : problem.events)
            if (event < 0) due[~event] = returned++;
        frontiers.reserve(returned);
        open.reserve(4 * size_t(returned));
        vector<uint32_t> now;
        vector<uint16_t> free;
        vector<uint32_t> ages(problem.kinds.size(), NONE);      // by class: its place in pending
        uint16_t slots = 0;
        Slots writes, reads, arrived;
        for (int32_t event : problem.events) {
            Call &call = calls[event < 0 ? ~event : event];
            Slots &kin = call.kind == WRITE ? writes : reads;
            if (event < 0) {
                frontiers.push_back({open.size(), invoked, writes, reads, arrived});
                arrived = Slots{};
                open.insert(open.end(), now.begin(), now.end());
                now.erase(now.begin());
                free.push_back(call.slot);
                if (call.kind != UPDATE) kin.clear(call.slot);
                continue;
            }
            int32_t number = problem.classes[event];
            call = {number, problem.needs[number], problem.targets[number], 0,
                    uint8_t(problem.kinds[number]), due[event] != NONE};
            if (!call.returns) {
                uint32_t &age = ages[number];
                if (age == NONE) {
                    age = uint32_t(pending.size());
                    pending.push_back({number, call.target, call.kind, {}});
                }
                pending[age].calls.push_back({invoked++, event});
                continue;
            }
            call.slot = free.empty() ? slots++ : free.back();
            if (!free.empty()) free.pop_back();
            if (call.kind != UPDATE) (call.kind == WRITE ? writes : reads).set(call.slot);
            if (call.kind == READ) arrived.set(call.slot);
            auto later = [&](uint32_t a, uint32_t b) { return due[a] < due[b]; };
            now.insert(std::upper_bound(now.begin(), now.end(), uint32_t(event), later), event);
        }
    }

    void find_rescues() {
        rescues.assign(calls.size(), -1);
        Index states;
        vector<int32_t> latest;
        auto of = [&](int32_t state) -> int32_t & {
            uint32_t number = states.number(uint32_t(state), uint32_t(latest.size()));
            if (number == latest.size()) latest.push_back(-1);
            return latest[number];
        };
        int32_t returned = 0;
        for (int32_t event : problem.events) {
            int32_t call = event < 0 ? ~event : event, number = problem.classes[call];
            int32_t kind = problem.kinds[number], target = problem.targets[number];
            if (kind == UPDATE && target == UNASKED) return rescues.clear();
            if (event < 0) {
                int32_t need = problem.needs[number];
                if (kind != WRITE && need != ANYWHERE) rescues[call] = of(need);
                returned++;
            } else if (kind != READ && target >= 0) {
                of(target) = returned;
            }
        }
    }
};

}  // namespace
