// Wing-Gong-Lowe search over integers: the native twin of checker/search.py, move by move.
//
// Both find the same, in the same number of steps; what a configuration, a move and a short cut is,
// and why each is sound, is said there.  Here is how it is held: calls, classes and states are
// 32-bit numbers; the calls open before each return lie in one array, in the order of their
// returns; moves not tried yet lie in one array behind their frames; orders are a forest of
// (parent, call) nodes, cut back when a frame is left, except below a leaf that is kept.
//
// The interpreter's lock is released, and taken back to ask for a transition that is not known yet,
// and now and then to ask whether to go on.

#pragma once

#include "_memory.h"

namespace {

struct Call {
    int32_t number;                 // its class
    uint16_t slot;
    uint8_t kind;
    bool returns;
};

struct Leaf {
    uint32_t order;
    int32_t state;
};

template <int Words> class Search {
  public:
    using Slots = Mask<Words>;

    Search(const Problem &problem, Interpreter &python)
        : problem(problem), python(python), transitions(problem, python), memory(multisets) {
        lay_out();
        if (problem.cuts & DEAD) find_rescues();
    }

    Status run() {
        patience = problem.patience;
        Configuration fresh = start();
        while (fresh.at < frontiers.size()) {
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

  private:
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
    struct Frontier {
        size_t open;                // where its calls begin; the next frontier's begin is the end
        uint32_t invoked;           // pending calls so far
        Slots writes, reads;
    };
    static typename Memory<Words>::Key key(const Configuration &it) {
        return {it.at, it.state, it.used, it.chained, it.done, it.covered};
    }
    uint32_t need_of(uint32_t at) const { return open[frontiers[at].open]; }
    const uint32_t *begin(uint32_t at) const { return &open[frontiers[at].open]; }
    const uint32_t *end(uint32_t at) const {
        return open.data() + (at + 1 < frontiers.size() ? frontiers[at + 1].open : open.size());
    }

    // One frontier for each return event.
    void lay_out() {
        calls.resize(problem.classes.size());
        due.assign(calls.size(), NONE);
        uint32_t returned = 0, invoked = 0;
        for (int32_t event : problem.events)
            if (event < 0) due[~event] = returned++;
        frontiers.reserve(returned);
        vector<uint32_t> now;
        vector<uint16_t> free;
        uint16_t slots = 0;
        Slots writes, reads;
        for (int32_t event : problem.events) {
            Call &call = calls[event < 0 ? ~event : event];
            Slots &kin = call.kind == WRITE ? writes : reads;
            if (event < 0) {
                frontiers.push_back({open.size(), invoked, writes, reads});
                open.insert(open.end(), now.begin(), now.end());
                now.erase(now.begin());
                free.push_back(call.slot);
                if (call.kind != UPDATE) kin.clear(call.slot);
                continue;
            }
            int32_t number = problem.classes[event];
            call = {number, 0, uint8_t(problem.kinds[number]), due[event] != NONE};
            if (!call.returns) {
                if (pending.try_emplace(number).first->second.empty()) by_age.push_back(number);
                pending[number].push_back({invoked++, event});
                continue;
            }
            call.slot = free.empty() ? slots++ : free.back();
            if (!free.empty()) free.pop_back();
            if (call.kind != UPDATE) (call.kind == WRITE ? writes : reads).set(call.slot);
            auto later = [&](uint32_t a, uint32_t b) { return due[a] < due[b]; };
            now.insert(std::upper_bound(now.begin(), now.end(), uint32_t(event), later), event);
        }
    }

    void find_rescues() {
        rescues.assign(calls.size(), -1);
        std::unordered_map<int32_t, int32_t> latest;
        int32_t returned = 0;
        for (int32_t event : problem.events) {
            int32_t call = event < 0 ? ~event : event, number = problem.classes[call];
            int32_t kind = problem.kinds[number], target = problem.targets[number];
            if (kind == UPDATE && target == UNASKED) return rescues.clear();
            if (event < 0) {
                auto found = latest.find(problem.needs[number]);
                if (kind != WRITE && found != latest.end()) rescues[call] = found->second;
                returned++;
            } else if (kind != READ) {
                latest[target] = returned;
            }
        }
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
        while (it.at < frontiers.size()) {
            if (problem.cuts & READS) {
                const uint32_t *stop = end(it.at);
                for (const uint32_t *each = begin(it.at); each != stop; each++) {
                    const Call &call = calls[*each];
                    if (call.kind != READ || it.done.has(call.slot)) continue;
                    if (transitions.step(it.state, call.number) != it.state) continue;
                    it.done.set(call.slot);
                    it.chained = false;
                    it.order = node(it.order, *each);
                }
            }
            uint16_t need = calls[need_of(it.at)].slot;
            if (!it.done.has(need)) break;
            it.done.clear(need);
            it.at++;
        }
        if (it.at > deepest && it.at < frontiers.size()) {
            deepest = it.at;
            still_since = steps;
            patience = problem.patience;
            leaves.clear();
            leaf_slots.clear();
        }
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
        bool lost = dead(frame), updates = false;
        if (!lost) updates = returning_moves(it);
        if (!updates && it.at == deepest && leaves.size() < problem.leaves_max) keep_leaf(it);
        if (lost) return;
        pending_moves(frame);
        const Call &need = calls[need_of(it.at)];
        if (it.covered.has(need.slot) && !it.chained) {
            Move move{~int32_t(need_of(it.at)), it.state, it.used, it.chained, it.done, it.covered};
            move.done.set(need.slot);
            move.covered.clear(need.slot);
            fresh.insert(fresh.begin(), move);
        }
        auto promising = [&](const Move &move) {
            return move.done.has(need.slot)
                || transitions.step(move.state, need.number) != ILLEGAL;
        };
        std::stable_partition(fresh.begin(), fresh.end(), promising);
        moves.insert(moves.end(), fresh.rbegin(), fresh.rend());
    }

    void keep_leaf(const Configuration &it) {
        for (size_t i = 0; i < leaves.size(); i++)
            if (leaves[i].state == it.state && leaf_slots[i] == it.done) return;
        leaves.push_back({it.order, it.state});
        leaf_slots.push_back(it.done);
        floor = uint32_t(nodes.size());
    }

    bool exhausted(const Configuration &it, int32_t number) const {
        return multisets.count(it.used, number) == invoked(it, number);
    }
    int32_t invoked(const Configuration &it, int32_t number) const {
        const auto &all = pending.at(number);
        return int32_t(std::lower_bound(all.begin(), all.end(),
                                        std::make_pair(frontiers[it.at].invoked, INT32_MIN))
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
            int32_t need = problem.needs[call.number];
            if (it.done.has(call.slot) || need == ANYWHERE || need == it.state) continue;
            if (rescues[*each] > int32_t(it.at)) continue;
            if (!marked) mark_reach(it);
            marked = true;
            if (size_t(need) < reach.size() && reach[need] == epoch) continue;
            for (int32_t number : by_age)
                if (problem.targets[number] == need && invoked(it, number)
                    && exhausted(it, number)) frame.blame |= Multisets::bit(number);
            return true;
        }
        return false;
    }

    // Mark the states that open and pending calls lead to.
    void mark_reach(const Configuration &it) {
        epoch++;
        auto mark = [&](int32_t number) {
            int32_t target = problem.targets[number];
            if (target < 0) return;
            if (reach.size() <= size_t(target)) reach.resize(target + 1);
            reach[target] = epoch;
        };
        for (const uint32_t *each = begin(it.at), *stop = end(it.at); each != stop; each++)
            if (calls[*each].kind != READ && !it.done.has(calls[*each].slot))
                mark(calls[*each].number);
        for (int32_t number : by_age)
            if (!exhausted(it, number)) mark(number);
    }

    // Can a call that is no write follow at once in this state?
    bool seen(const Configuration &it, const Slots &done, int32_t state) {
        for (int32_t number : by_age)
            if (problem.kinds[number] == UPDATE && invoked(it, number)) return true;
        for (const uint32_t *each = begin(it.at), *stop = end(it.at); each != stop; each++) {
            const Call &call = calls[*each];
            if (call.kind != WRITE && !done.has(call.slot)
                && transitions.step(state, call.number) != ILLEGAL) return true;
        }
        return false;
    }

    // Moves of open calls that will return: updates, then writes.  Are there updates?
    bool returning_moves(const Configuration &it) {
        late.clear();
        tried.clear();
        for (const uint32_t *each = begin(it.at), *stop = end(it.at); each != stop; each++) {
            const Call &call = calls[*each];
            if (it.done.has(call.slot) || (call.kind == READ && problem.cuts & READS)) continue;
            if (problem.cuts & FIRST) {
                if (std::find(tried.begin(), tried.end(), call.number) != tried.end()) continue;
                tried.push_back(call.number);
            }
            if (call.kind == WRITE && it.chained) continue;
            int32_t state = transitions.step(it.state, call.number);
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
        for (int32_t number : by_age) {
            bool writes = problem.kinds[number] == WRITE;
            if (!invoked(it, number) || (writes && it.chained)) continue;
            int32_t state = transitions.step(it.state, number);
            if (state == ILLEGAL || state == it.state) continue;
            if (problem.cuts & LATE && !seen(it, it.done, state)) continue;
            if (exhausted(it, number)) {
                frame.blame |= Multisets::bit(number);
                continue;
            }
            int32_t call = pending.at(number)[multisets.count(it.used, number)].second;
            bool chained = problem.cuts & LATE || it.chained;
            Move move{call, state, multisets.more(it.used, number), chained, it.done, it.covered};
            if (writes && problem.cuts & COVER)
                move.covered = frontiers[it.at].writes.without(it.done);
            fresh.push_back(move);
        }
    }

    const Problem &problem;
    Interpreter &python;
    Transitions transitions;
    Multisets multisets;
    Memory<Words> memory;
    vector<Call> calls;
    vector<uint32_t> due, open;             // by call: the frontier of its return; see Frontier
    vector<int32_t> rescues, by_age;        // by call, see window.py; pending classes
    std::unordered_map<int32_t, vector<std::pair<uint32_t, int32_t>>> pending;
    vector<Frontier> frontiers;
    vector<Frame> frames;
    vector<Move> moves, fresh, late;
    vector<int32_t> tried;
    vector<std::pair<uint32_t, int32_t>> nodes;
    vector<Slots> leaf_slots;
    vector<uint32_t> reach;
    size_t started = 0;
    uint64_t still_since = 0, patience = 0;
    uint32_t deepest = 0, floor = 0, epoch = 0;
};

}  // namespace
