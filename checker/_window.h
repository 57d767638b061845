// What is open when: the calls of a problem, return by return: the native twin of window.py.

#pragma once

#include "_problem.h"

#include <utility>

namespace {

struct Pending {                    // the calls of one class that never return
    uint32_t first;                 // the first of them
    vector<std::pair<uint32_t, uint32_t>> calls;    // (how many were invoked before, call)
};

// The calls open before each return lie in one array, in the order of their returns.
template <int Words> class Window {
  public:
    using Slots = Mask<Words>;

    struct Frontier {
        size_t open;                // where its calls begin; the next frontier's begin is the end
        uint32_t need;              // the call that returns, the first of them
        uint32_t invoked;           // pending calls so far
        Slots writes, reads;
    };
    explicit Window(Problem &problem)
        : problem(problem), calls(problem.calls), returns(problem.outline.returns),
          rescued(problem.limits.cuts & DEAD && !problem.outline.anywhere) {
        frontiers.reserve(returns);
        open.reserve(problem.outline.open);
        now.reserve(problem.outline.overlap);
        free.reserve(problem.outline.overlap);
        std::fill(latest_of_few, latest_of_few + FEW, -1);
    }

    // Lay out all up to a frontier; what comes later is most often never asked for.
    void reach_out(uint32_t at) {
        while (frontiers.size() <= at) {
            int32_t event = problem.events[next++];
            if (event < 0) leave(uint32_t(~event));
            else if (calls[uint32_t(event)].returns()) enter(uint32_t(event));
            else wait(uint32_t(event));
        }
    }

    const uint32_t *begin(uint32_t at) const { return open.data() + frontiers[at].open; }
    const uint32_t *end(uint32_t at) const {
        return open.data() + (at + 1 < frontiers.size() ? frontiers[at + 1].open : open.size());
    }

    const Problem &problem;
    vector<Call> &calls;
    const uint32_t returns;                 // how many there will be
    const bool rescued;                     // is anything known of rescues?
    vector<uint32_t> open;                  // see Frontier
    vector<Pending> pending;                // by age
    vector<Frontier> frontiers;             // as far as they are laid out
    uint32_t first_update = NONE;           // how many pending calls were invoked before one

  private:
    // A call that returns is invoked.
    void enter(uint32_t number) {
        Call &call = calls[number];
        call.slot = free.empty() ? slots++ : free.back();
        if (!free.empty()) free.pop_back();
        if (call.kind != UPDATE) (call.kind == WRITE ? writes : reads).set(call.slot);
        size_t place = now.size();
        now.push_back(number);
        for (; place > 0 && calls[now[place - 1]].due > call.due; place--)
            now[place] = now[place - 1];
        now[place] = number;
        lead(call);
    }
    // One that never returns.
    void wait(uint32_t number) {
        const Call &call = calls[number];
        if (ages.empty()) ages.assign(problem.outline.classes, NONE);
        uint32_t &age = ages[size_t(call.number)];
        if (age == NONE) {
            age = uint32_t(pending.size());
            pending.push_back({number, {}});
        }
        pending[age].calls.push_back({invoked, number});
        if (call.kind == UPDATE) first_update = std::min(first_update, invoked);
        invoked++;
        lead(call);
    }
    void lead(const Call &call) {
        if (rescued && call.kind != READ && call.target >= 0)
            latest(call.target) = int32_t(frontiers.size());
    }
    // A call returns: here is a frontier.
    void leave(uint32_t number) {
        Call &call = calls[number];
        if (rescued && call.kind != WRITE && call.need != ANYWHERE)
            call.rescue = latest(call.need);
        frontiers.push_back({open.size(), number, invoked, writes, reads});
        open.insert(open.end(), now.begin(), now.end());
        now.erase(now.begin());
        free.push_back(call.slot);
        if (call.kind != UPDATE) (call.kind == WRITE ? writes : reads).clear(call.slot);
    }
    // Where the last call was invoked, so far, that leads to a state: see rescues in window.py.
    int32_t &latest(int32_t state) {
        if (size_t(state) < FEW) return latest_of_few[state];
        uint32_t number = states.number(uint32_t(state), uint32_t(latest_of_more.size()));
        if (number == latest_of_more.size()) latest_of_more.push_back(-1);
        return latest_of_more[number];
    }

    static constexpr size_t FEW = 64;

    size_t next = 0;                        // the event that is laid out next
    vector<uint32_t> now, ages;             // what is open; by class: its place in pending
    vector<uint16_t> free;
    uint16_t slots = 0;
    uint32_t invoked = 0;
    Slots writes, reads;
    int32_t latest_of_few[FEW];
    Index states;                           // and of the other states
    vector<int32_t> latest_of_more;
};

}  // namespace
