// Wing-Gong-Lowe search over integers: the native twin of checker/search.py, move by move.
//
// Both find the same, in the same number of steps; what a configuration, a move and a short cut is,
// and why each is sound, is said there.  Here is how it is held: calls, classes and states are
// 32-bit numbers; moves not tried yet lie in one array behind their frames, and say no more than
// which call and what state, since the frame says the rest; orders are a forest of (parent, call)
// nodes, cut back when a frame is left, except below a leaf that is kept.
//
// The interpreter's lock is released, and taken back to ask for a transition that is not known yet,
// and now and then to ask whether to go on.

#pragma once

#include "_memory.h"
#include "_python.h"
#include "_window.h"

namespace {

constexpr uint64_t SIGNALS_EVERY_STEPS = 1 << 16;

struct Leaf {
    uint32_t order;
    int32_t state;
};

template <int Words> class Search : protected Window<Words> {
  public:
    using Slots = Mask<Words>;
    static constexpr size_t FEW = 32;       // what a short history takes, about

    Search(Problem &problem, Interpreter &python)
        : Window<Words>(problem), limits(problem.limits), python(python),
          transitions(problem.step, python), memory(multisets, problem.outline.returns) {
        frames.reserve(calls.size());
        nodes.reserve(calls.size() + FEW);
        moves.reserve(FEW);
        fresh.reserve(FEW);
        late.reserve(FEW);
        tried.assign(problem.outline.classes, 0);
        leaves.reserve(limits.leaves_max < FEW ? limits.leaves_max : FEW);
        next_pause = limits.check_every;
    }

    Status run() {
        patience = limits.patience;
        Configuration fresh = start();
        while (fresh.at < returns) {
            uint32_t known = memory.covering(key(fresh), frontiers[fresh.at].reads);
            if (known != NONE) {
                if (!frames.empty()) frames.back().blame |= multisets.bits(known);
            } else {
                if (Status cause = spent(); cause != VALID) return cause;
                if (Status cause = helped(); cause != VALID) return cause;
                frames.push_back({fresh, uint32_t(moves.size()), 0});
                generate();
            }
            while (!frames.empty() && frames.back().moves == moves.size()) leave();
            if (frames.empty() && started == problem.starts.size()) return INVALID;
            fresh = frames.empty() ? start() : take();
        }
        last = fresh.order;
        return VALID;
    }

    // The calls of an order, oldest first, covered writes right before what covers them.
    void unwind(uint32_t order, vector<int32_t> &found) const {
        vector<int32_t> covered;
        found.reserve(calls.size());
        for (; order != NONE; order = nodes[order].first) {
            int32_t call = nodes[order].second;
            if (call < 0) {
                covered.push_back(~call);
                continue;
            }
            found.push_back(call);
            if (!covered.empty() && calls[call].kind == WRITE) {
                found.insert(found.end(), covered.begin(), covered.end());
                covered.clear();
            }
        }
        std::reverse(found.begin(), found.end());
    }

    uint32_t stuck() const { return frontiers[deepest].need; }

    uint64_t steps = 0;
    uint32_t last = NONE;
    vector<Leaf> leaves;

  protected:
    using Window<Words>::problem, Window<Words>::calls, Window<Words>::rescued;
    using Window<Words>::pending, Window<Words>::frontiers, Window<Words>::begin;
    using Window<Words>::end, Window<Words>::returns, Window<Words>::reach_out;
    using Window<Words>::first_update;
    using Frontier = typename Window<Words>::Frontier;

    struct Configuration {
        uint32_t at;
        int32_t state;
        uint32_t used, order;
        Slots done, covered;
        bool chained;
    };
    struct Move {
        int32_t call, state;        // ~call: a covered write
    };
    struct Frame {
        Configuration it;
        uint32_t moves;             // where its own begin
        uint64_t blame;
    };
    static typename Memory<Words>::Key key(const Configuration &it) {
        return {it.at, it.state, it.used, it.chained, it.done, it.covered};
    }

    // The next initial configuration.
    Configuration start() {
        Configuration it{0, problem.starts[started++], 0, NONE, {}, {}, false};
        settle(it);
        return it;
    }

    // Asked when patience ends.  INVALID: it is known that no order gets past the deepest frontier;
    // TOLD: all is known.
    Status helped() {
        if (steps - still_since < patience || problem.help == Py_None) return VALID;
        uint64_t spend = patience;
        still_since = steps;
        patience *= limits.growth;
        return python.help(problem.help, stuck(), spend);
    }

    // Count a step; VALID: go on.
    Status spent() {
        steps++;
        if (steps > limits.steps_max) return STEPS;
        if (memory.size() + waiting > limits.memory_max) return MEMORY;
        return steps == next_pause ? pause() : VALID;
    }
    // Let others have their turn, and ask whether to go on.
    Status pause() {
        next_pause += limits.check_every;
        python.let_go();
        bool signals = steps - paused >= SIGNALS_EVERY_STEPS;
        if (problem.expired == Py_None && !signals) return VALID;
        paused = steps;
        return Status(python.ask([&]() -> long {
            if (PyErr_CheckSignals() || problem.expired == Py_None) return VALID;
            PyObject *answer = PyObject_CallNoArgs(problem.expired);
            bool over = answer && PyObject_IsTrue(answer) == 1;
            Py_XDECREF(answer);
            return over ? TIME : VALID;
        }));
    }

    // Linearize the reads that are legal, move on over returns, until neither is possible.
    void settle(Configuration &it) {
        Slots known;                        // the reads that were tried in this state
        for (; it.at < returns; it.at++) {
            reach_out(it.at);
            const Frontier &frontier = frontiers[it.at];
            if (limits.cuts & READS) {
                read(it, frontier.reads.without(it.done).without(known));
                known = frontier.reads;
            }
            unsigned need = calls[frontier.need].slot;
            if (!it.done.has(need)) break;
            it.done.clear(need);
            known.clear(need);
        }
        if (it.at > deepest && it.at < returns) {
            deepest = it.at;
            still_since = steps;
            patience = limits.patience;
            leaves.clear();
            leaf_slots.clear();
        }
    }

    // Linearize those of some open reads that are legal.
    void read(Configuration &it, Slots left) {
        for (const uint32_t *each = begin(it.at); !left.empty(); each++) {
            const Call &call = calls[*each];
            if (!left.has(call.slot)) continue;
            left.clear(call.slot);
            if (transitions.step(it.state, call) != it.state) continue;
            it.done.set(call.slot);
            it.chained = false;
            it.order = node(it.order, int32_t(*each));
        }
    }

    uint32_t node(uint32_t parent, int32_t call) {
        nodes.push_back({parent, call});
        return uint32_t(nodes.size() - 1);
    }

    // Make the next move of the frame on top.
    Configuration take() {
        Configuration it = frames.back().it;
        size_t kept = std::max(it.order + 1, floor);
        if (nodes.size() > kept) nodes.resize(kept);
        Move move = moves.back();
        moves.pop_back();
        const Call &call = calls[move.call < 0 ? ~move.call : move.call];
        const Frontier &frontier = frontiers[it.at];
        it.state = move.state;
        it.order = node(it.order, move.call);
        bool covers = call.kind == WRITE && limits.cuts & COVER;
        if (move.call < 0) {
            it.done.set(call.slot);
            it.covered.clear(call.slot);
        } else if (call.returns()) {
            it.done.set(call.slot);
            it.chained = covers && uint32_t(move.call) != frontier.need;
            if (call.kind == WRITE) it.covered = Slots{};
        } else {
            it.used = multisets.more(it.used, call.number);
            it.chained = limits.cuts & LATE || it.chained;
        }
        if (move.call >= 0 && covers) it.covered = frontier.writes.without(it.done);
        settle(it);
        return it;
    }

    // Remember that a frame has failed; what it is blamed on, so is the one below.
    void leave() {
        Frame frame = frames.back();
        frames.pop_back();
        uint32_t &used = frame.it.used;
        if (limits.cuts & BLAME) used = multisets.only(used, frame.blame);
        memory.add(key(frame.it));
        if (!frames.empty()) frames.back().blame |= multisets.bits(used);
    }

    // What can be linearized next from the frame on top, the most promising last.
    void generate() {
        Frame &frame = frames.back();
        const Configuration &it = frame.it;
        bool lost = dead(frame), updates = false;
        fresh.clear();
        const uint32_t need = frontiers[it.at].need;
        const Call &call = calls[need];
        if (!lost) {
            if (it.covered.has(call.slot) && !it.chained)
                fresh.push_back({~int32_t(need), it.state});
            updates = returning_moves(it);
        }
        if (!updates && it.at == deepest
            && !over && leaves.size() < limits.leaves_max) keep_leaf(it);
        if (lost) return;
        if (!pending.empty()) pending_moves(frame);
        late.clear();
        for (auto move = fresh.rbegin(); move != fresh.rend(); ++move) {
            bool promising = move->call == int32_t(need) || move->call == ~int32_t(need)
                || transitions.step(move->state, call) != ILLEGAL;
            (promising ? late : moves).push_back(*move);
        }
        moves.insert(moves.end(), late.begin(), late.end());
    }

    void keep_leaf(const Configuration &it) {
        for (size_t i = 0; i < leaves.size(); i++)
            if (leaves[i].state == it.state && leaf_slots[i] == it.done) return;
        leaves.push_back({it.order, it.state});
        leaf_slots.push_back(it.done);
        floor = uint32_t(nodes.size());
    }

    bool exhausted(const Configuration &it, const Pending &kin) const {
        int32_t number = calls[kin.first].number;
        return heeded & Multisets::bit(number)
            && multisets.count(it.used, number) >= invoked(it, kin);
    }
    int32_t invoked(const Configuration &it, const Pending &kin) const {
        const auto &all = kin.calls;
        uint32_t before = frontiers[it.at].invoked;
        if (all.front().first >= before) return 0;
        if (all.back().first < before) return int32_t(all.size());
        return int32_t(std::lower_bound(all.begin(), all.end(), std::make_pair(before, 0u))
                       - all.begin());
    }

    // Is a call lost that returns at the deepest frontier or before?
    bool dead(Frame &frame) {
        if (!rescued) return false;
        const Configuration &it = frame.it;
        bool marked = false;
        for (const uint32_t *each = begin(it.at), *stop = end(it.at); each != stop; each++) {
            const Call &call = calls[*each];
            if (call.due > deepest) break;
            int32_t need = call.need;
            if (it.done.has(call.slot) || need == ANYWHERE || need == it.state) continue;
            if (call.rescue > int32_t(it.at)) continue;
            if (!marked) mark_reach(it);
            marked = true;
            if (size_t(need) < reach.size() && reach[need] == epoch) continue;
            for (const Pending &kin : pending) {
                const Call &pended = calls[kin.first];
                if (pended.target == need && invoked(it, kin) && exhausted(it, kin))
                    frame.blame |= Multisets::bit(pended.number);
            }
            return true;
        }
        return false;
    }

    // Mark the states that open and pending calls lead to.
    void mark_reach(const Configuration &it) {
        epoch++;
        auto mark = [&](int32_t target) {
            if (target < 0) return;
            if (reach.size() <= size_t(target)) reach.resize(target + 1);
            reach[target] = epoch;
        };
        for (const uint32_t *each = begin(it.at), *stop = end(it.at); each != stop; each++)
            if (calls[*each].kind != READ && !it.done.has(calls[*each].slot))
                mark(calls[*each].target);
        for (const Pending &kin : pending)
            if (invoked(it, kin) && !exhausted(it, kin)) mark(calls[kin.first].target);
    }

    // Note that an open call that is no write can follow at once in a state; see below.
    void watch(const Call &call) {
        if (call.need == ANYWHERE) vague = true;
        else if (call.target != ILLEGAL) watched |= Multisets::bit(call.need);
        vague = vague || call.need >= 64;
    }

    // Can a call that is no write follow at once in this state?
    bool seen(const Configuration &it, int32_t state) {
        if (updates_pend) return true;
        if (!vague) return state < 64 && watched & Multisets::bit(state);
        for (const uint32_t *each = begin(it.at), *stop = end(it.at); each != stop; each++) {
            const Call &call = calls[*each];
            if (call.kind != WRITE && !it.done.has(call.slot)
                && transitions.step(state, call) != ILLEGAL) return true;
        }
        return false;
    }

    // Moves of open calls that will return: updates, then writes.  Are there updates?
    bool returning_moves(const Configuration &it) {
        late.clear();
        watched = 0;
        vague = false;
        updates_pend = first_update < frontiers[it.at].invoked;
        round++;
        const size_t before = fresh.size();
        for (const uint32_t *each = begin(it.at), *stop = end(it.at); each != stop; each++) {
            const Call &call = calls[*each];
            if (it.done.has(call.slot)) continue;
            if (call.kind != WRITE) watch(call);
            if (call.kind == WRITE ? it.chained : call.kind == READ && limits.cuts & READS)
                continue;
            if (limits.cuts & FIRST) {
                if (tried[call.number] == round) continue;
                tried[call.number] = round;
            }
            int32_t state = transitions.step(it.state, call);
            if (state == ILLEGAL) continue;
            (call.kind == WRITE ? late : fresh).push_back({int32_t(*each), state});
        }
        bool updates = fresh.size() != before;
        bool puts_off = limits.cuts & COVER;
        for (Move move : late)
            if (!puts_off || move.call == int32_t(*begin(it.at)) || seen(it, move.state))
                fresh.push_back(move);
        return updates;
    }

    // Moves of calls that will never return, where they change anything that is seen.
    void pending_moves(Frame &frame) {
        const Configuration &it = frame.it;
        for (const Pending &kin : pending) {
            const Call &call = calls[kin.first];
            if (!invoked(it, kin) || (call.kind == WRITE && it.chained)) continue;
            int32_t state = transitions.step(it.state, call);
            if (state == ILLEGAL || state == it.state) continue;
            if (limits.cuts & LATE && !seen(it, state)) continue;
            if (exhausted(it, kin)) {
                frame.blame |= Multisets::bit(call.number);
                continue;
            }
            size_t used = size_t(multisets.count(it.used, call.number));
            fresh.push_back({int32_t(kin.calls[std::min(used, kin.calls.size() - 1)].second),
                             state});
        }
    }

    const Limits limits;
    Interpreter &python;
    Transitions transitions;
    Multisets multisets;
    Memory<Words> memory;
    vector<Frame> frames;
    vector<std::pair<uint32_t, int32_t>> nodes;
    vector<Move> moves, fresh, late;
    vector<uint32_t> tried;                 // by class: the round in which it was
    vector<Slots> leaf_slots;
    vector<uint32_t> reach;
    size_t started = 0;
    uint64_t still_since = 0, patience = 0, next_pause = 0, paused = 0;
    uint64_t heeded = ~uint64_t{0}, over = 0;   // see sweep.py: here, all classes and none,
    size_t waiting = 0;                         // and none in a queue
    uint32_t deepest = 0, floor = 0, epoch = 0, round = 0;
    uint64_t watched = 0;
    bool vague = false, updates_pend = false;   // see seen
};

}  // namespace
