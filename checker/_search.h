// Wing-Gong-Lowe search over integers: the native twin of checker/search.py, move by move.
//
// Both find the same, in the same number of steps; what a configuration, a move and a short cut is,
// and why each is sound, is said there.  Here is how it is held: calls, classes and states are
// 32-bit numbers; moves not tried yet lie in one array behind their frames; orders are a forest of
// (parent, call) nodes, cut back when a frame is left, except below a leaf that is kept.
//
// The interpreter's lock is released, and taken back to ask for a transition that is not known yet,
// and now and then to ask whether to go on.

#pragma once

#include "_memory.h"
#include "_window.h"

namespace {

struct Leaf {
    uint32_t order;
    int32_t state;
};

template <int Words> class Search : protected Window<Words> {
  public:
    using Slots = Mask<Words>;
    static constexpr size_t FEW = 32;       // what a short history takes, about

    Search(const Problem &problem, Interpreter &python)
        : Window<Words>(problem), python(python), transitions(problem, python),
          memory(multisets) {
        frames.reserve(FEW);
        moves.reserve(FEW);
        fresh.reserve(FEW);
        late.reserve(FEW);
        nodes.reserve(4 * FEW);
    }

    Status run() {
        patience = problem.patience;
        Configuration fresh = start();
        while (fresh.at < returns) {
            uint32_t known = memory.covering(key(fresh), frontiers[fresh.at].reads);
            if (known != NONE) {
                if (!frames.empty()) frames.back().blame |= multisets.bits(known);
            } else {
                if (Status cause = spent(); cause != VALID) return cause;
                if (refuted()) return INVALID;
                frames.push_back({fresh, moves.size(), 0, uint32_t(nodes.size())});
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
    vector<int32_t> unwind(uint32_t order) const {
        vector<int32_t> found, covered;
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
        return found;
    }

    uint32_t stuck() const { return need_of(deepest); }

    uint64_t steps = 0;
    uint32_t last = NONE;
    vector<Leaf> leaves;

  protected:
    using Window<Words>::problem, Window<Words>::calls, Window<Words>::due, Window<Words>::rescues;
    using Window<Words>::pending, Window<Words>::frontiers, Window<Words>::begin;
    using Window<Words>::end, Window<Words>::need_of, Window<Words>::returns;
    using Window<Words>::reach_out;
    using Frontier = typename Window<Words>::Frontier;

    struct Configuration {
        uint32_t at;
        int32_t state;
        uint32_t used, order;
        bool chained;
        Slots done, covered;
    };
    struct Move {
        int32_t call, state;        // ~call: a covered write
        uint32_t used;
        bool chained;
        Slots done, covered;
    };
    struct Frame {
        Configuration it;
        size_t moves;               // where its own begin
        uint64_t blame;
        uint32_t nodes;             // how many there were
    };
    static typename Memory<Words>::Key key(const Configuration &it) {
        return {it.at, it.state, it.used, it.chained, it.done, it.covered};
    }

    // The next initial configuration.
    Configuration start() {
        Configuration it{0, problem.starts[started++], 0, NONE, false, {}, {}};
        settle(it);
        return it;
    }

    // Is it known that no order gets past the deepest frontier?  Asked when patience ends.
    bool refuted() {
        if (problem.refuted == Py_None || steps - still_since < patience) return false;
        uint64_t spend = patience;
        still_since = steps;
        patience *= problem.growth;
        return python.ask([&]() -> long {
            PyObject *answer = PyObject_CallFunction(problem.refuted, "iK", int(stuck()),
                                                     static_cast<unsigned long long>(spend));
            long value = answer ? PyObject_IsTrue(answer) : 0;
            Py_XDECREF(answer);
            return value;
        });
    }

    // Count a step; VALID: go on.
    Status spent() {
        steps++;
        if (steps > problem.steps_max) return STEPS;
        if (memory.size() > problem.memory_max) return MEMORY;
        if (problem.expired != Py_None && steps % problem.check_every == 0) {
            bool over = python.ask([&]() -> long {
                PyObject *answer = PyObject_CallNoArgs(problem.expired);
                long value = answer ? PyObject_IsTrue(answer) : 0;
                Py_XDECREF(answer);
                return value;
            });
            if (over) return TIME;
        }
        if (steps % SIGNALS_EVERY_STEPS == 0)
            python.ask([]() -> long { return PyErr_CheckSignals(); });
        return VALID;
    }

    // Linearize the reads that are legal, move on over returns, until neither is possible.
    void settle(Configuration &it) {
        for (bool first = true; it.at < returns; first = false) {
            reach_out(it.at);
            const Frontier &frontier = frontiers[it.at];    // the state is the one of the first
            if (problem.cuts & READS)
                read(it, (first ? frontier.reads : frontier.arrived).without(it.done));
            uint16_t need = calls[need_of(it.at)].slot;
            if (!it.done.has(need)) break;
            it.done.clear(need);
            it.at++;
        }
        if (it.at > deepest && it.at < returns) {
            deepest = it.at;
            still_since = steps;
            patience = problem.patience;
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
            if (step(it.state, call) != it.state) continue;
            it.done.set(call.slot);
            it.chained = false;
            it.order = node(it.order, *each);
        }
    }

    int32_t step(int32_t state, const Call &call) {
        if (call.need != ANYWHERE) return state == call.need ? call.target : ILLEGAL;
        return call.kind == WRITE ? call.target : transitions.step(state, call.number);
    }

    uint32_t node(uint32_t parent, int32_t call) {
        nodes.push_back({parent, call});
        return uint32_t(nodes.size() - 1);
    }

    Configuration take() {
        Frame &frame = frames.back();
        size_t kept = std::max(frame.nodes, floor);
        if (nodes.size() > kept) nodes.resize(kept);
        Move move = moves.back();
        moves.pop_back();
        Configuration it{frame.it.at, move.state, move.used, node(frame.it.order, move.call),
                         move.chained, move.done, move.covered};
        settle(it);
        return it;
    }

    // Remember that a frame has failed; what it is blamed on, so is the one below.
    void leave() {
        Frame frame = frames.back();
        frames.pop_back();
        uint32_t &used = frame.it.used;
        if (problem.cuts & BLAME) used = multisets.only(used, frame.blame);
        memory.add(key(frame.it));
        if (!frames.empty()) frames.back().blame |= multisets.bits(used);
    }

    // What can be linearized next from the frame on top, the most promising last.
    void generate() {
        Frame &frame = frames.back();
        const Configuration &it = frame.it;
        fresh.clear();
        watch(it);
        bool lost = dead(frame), updates = false;
        if (!lost) updates = returning_moves(it);
        if (!updates && it.at == deepest
            && !over && leaves.size() < problem.leaves_max) keep_leaf(it);
        if (lost) return;
        pending_moves(frame);
        const Call &need = calls[need_of(it.at)];
        if (it.covered.has(need.slot) && !it.chained) {
            Move move{~int32_t(need_of(it.at)), it.state, it.used, it.chained, it.done, it.covered};
            move.done.set(need.slot);
            move.covered.clear(need.slot);
            fresh.insert(fresh.begin(), move);
        }
        late.clear();
        for (auto move = fresh.rbegin(); move != fresh.rend(); ++move) {
            bool promising = move->done.has(need.slot) || step(move->state, need) != ILLEGAL;
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
        return heeded & Multisets::bit(kin.number)
            && multisets.count(it.used, kin.number) >= invoked(it, kin);
    }
    int32_t invoked(const Configuration &it, const Pending &kin) const {
        const auto &all = kin.calls;
        uint32_t before = frontiers[it.at].invoked;
        if (all.front().first >= before) return 0;
        if (all.back().first < before) return int32_t(all.size());
        return int32_t(std::lower_bound(all.begin(), all.end(), std::make_pair(before, INT32_MIN))
                       - all.begin());
    }

    // Is a call lost that returns at the deepest frontier or before?
    bool dead(Frame &frame) {
        if (rescues.empty()) return false;
        const Configuration &it = frame.it;
        bool marked = false;
        for (const uint32_t *each = begin(it.at), *stop = end(it.at); each != stop; each++) {
            if (due[*each] > deepest) break;
            const Call &call = calls[*each];
            int32_t need = call.need;
            if (it.done.has(call.slot) || need == ANYWHERE || need == it.state) continue;
            if (rescues[*each] > int32_t(it.at)) continue;
            if (!marked) mark_reach(it);
            marked = true;
            if (size_t(need) < reach.size() && reach[need] == epoch) continue;
            for (const Pending &kin : pending)
                if (kin.target == need && invoked(it, kin) && exhausted(it, kin))
                    frame.blame |= Multisets::bit(kin.number);
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
            if (invoked(it, kin) && !exhausted(it, kin)) mark(kin.target);
    }

    // Note in which states a call that is no write can follow at once; see below.
    void watch(const Configuration &it) {
        watched = 0;
        for (const Pending &kin : pending)
            if (kin.kind == UPDATE && invoked(it, kin)) watched = ~uint64_t{0};
        followed = watched != 0;
        for (const uint32_t *each = begin(it.at), *stop = end(it.at); each != stop; each++) {
            const Call &call = calls[*each];
            if (call.kind == WRITE || it.done.has(call.slot)) continue;
            watched |= call.need == ANYWHERE ? ~uint64_t{0} : Multisets::bit(call.need);
        }
    }

    // Can a call that is no write follow at once in this state?  No, where its bit is not set.
    bool seen(const Configuration &it, const Slots &done, int32_t state) {
        if (followed || !(watched & Multisets::bit(state))) return followed;
        for (const uint32_t *each = begin(it.at), *stop = end(it.at); each != stop; each++) {
            const Call &call = calls[*each];
            if (call.kind != WRITE && !done.has(call.slot)
                && step(state, call) != ILLEGAL) return true;
        }
        return false;
    }

    // Moves of open calls that will return: updates, then writes.  Are there updates?
    bool returning_moves(const Configuration &it) {
        late.clear();
        tried.resize(problem.kinds.size());
        round++;
        for (const uint32_t *each = begin(it.at), *stop = end(it.at); each != stop; each++) {
            const Call &call = calls[*each];
            if (it.done.has(call.slot) || (call.kind == READ && problem.cuts & READS)) continue;
            if (problem.cuts & FIRST) {
                if (tried[call.number] == round) continue;
                tried[call.number] = round;
            }
            if (call.kind == WRITE && it.chained) continue;
            int32_t state = step(it.state, call);
            if (state == ILLEGAL) continue;
            Move move{int32_t(*each), state, it.used, false, it.done, it.covered};
            move.done.set(call.slot);
            if (call.kind != WRITE) {
                fresh.push_back(move);
                continue;
            }
            move.chained = problem.cuts & COVER && each != begin(it.at);
            move.covered = Slots{};
            if (problem.cuts & COVER) move.covered = frontiers[it.at].writes.without(move.done);
            if (!move.chained || seen(it, move.done, state)) late.push_back(move);
        }
        bool updates = !fresh.empty();
        fresh.insert(fresh.end(), late.begin(), late.end());
        return updates;
    }

    // Moves of calls that will never return, where they change anything that is seen.
    void pending_moves(Frame &frame) {
        const Configuration &it = frame.it;
        for (const Pending &kin : pending) {
            int32_t number = kin.number;
            bool writes = kin.kind == WRITE;
            if (!invoked(it, kin) || (writes && it.chained)) continue;
            int32_t state = transitions.step(it.state, number);
            if (state == ILLEGAL || state == it.state) continue;
            if (problem.cuts & LATE && !seen(it, it.done, state)) continue;
            if (exhausted(it, kin)) {
                frame.blame |= Multisets::bit(number);
                continue;
            }
            size_t count = std::min<size_t>(multisets.count(it.used, number), kin.calls.size() - 1);
            int32_t call = kin.calls[count].second;
            bool chained = problem.cuts & LATE || it.chained;
            Move move{call, state, multisets.more(it.used, number), chained, it.done, it.covered};
            if (writes && problem.cuts & COVER)
                move.covered = frontiers[it.at].writes.without(it.done);
            fresh.push_back(move);
        }
    }

    Interpreter &python;
    Transitions transitions;
    Multisets multisets;
    Memory<Words> memory;
    vector<Frame> frames;
    vector<Move> moves, fresh, late;
    vector<uint32_t> tried;                 // by class: the round in which it was
    vector<std::pair<uint32_t, int32_t>> nodes;
    vector<Slots> leaf_slots;
    vector<uint32_t> reach;
    size_t started = 0;
    uint64_t still_since = 0, patience = 0;
    uint64_t heeded = ~uint64_t{0}, over = 0;   // see sweep.py: here, all classes and none
    uint32_t deepest = 0, floor = 0, epoch = 0, round = 0;
    uint64_t watched = 0;
    bool followed = false;
};

}  // namespace
