// The search breadth first: the native twin of checker/sweep.py, which says what it does and why.

#pragma once

#include <queue>
#include <tuple>

#include "_search.h"

namespace {

template <int Words> class Sweep : public Search<Words> {
    using Base = Search<Words>;
    using typename Base::Configuration;

  public:
    using Base::Base;

    Status run() {
        this->heeded = 0;
        if (this->returns) this->reach_out(this->returns - 1);
        for (const Pending &kin : this->pending) {
            const Call &call = this->calls[kin.first];
            if (call.target == UNASKED) this->heeded |= Multisets::bit(call.number);
        }
        while (true) {
            Way furthest = {};
            if (Status cause = sweep(furthest); cause != VALID) return cause;
            this->last = furthest.it.order;
            if (!furthest.over) return furthest.it.at == this->returns ? VALID : INVALID;
            this->heeded |= furthest.over;
        }
    }

  private:
    struct Way {
        int overdrawn;
        uint64_t used, number, over;
        Configuration it;

        bool operator<(const Way &other) const {    // taken up later
            return std::tie(it.at, overdrawn, used, number)
                > std::tie(other.it.at, other.overdrawn, other.used, other.number);
        }
    };

    // The furthest way, and of those the first; or why the sweep had to end.
    Status sweep(Way &furthest) {
        std::priority_queue<Way> queue;
        uint64_t numbers = 0;
        auto push = [&](const Configuration &it, uint64_t over) {
            queue.push({__builtin_popcountll(over), this->multisets.size(it.used), numbers++, over,
                        it});
        };
        this->deepest = this->floor = 0;
        this->leaves.clear();
        this->leaf_slots.clear();
        this->nodes.clear();
        for (this->started = 0; this->started < this->problem.starts.size();)
            push(this->start(), 0);
        bool begun = false;
        while (!queue.empty()) {
            Way way = queue.top();
            queue.pop();
            if (!begun || way.it.at > furthest.it.at) {
                begun = true;
                furthest = way;
                this->memory.clear();
                if (way.it.at == this->returns) break;
            }
            Configuration known = way.it;
            known.used = this->multisets.only(way.it.used, this->heeded);
            if (this->memory.covering(this->key(known), this->frontiers[known.at].reads) != NONE)
                continue;
            this->memory.add(this->key(known));
            this->waiting = queue.size();
            if (Status cause = this->spent(); cause != VALID) return cause;
            this->over = way.over;
            this->frames.push_back({way.it, uint32_t(this->moves.size()), 0});
            this->generate();
            while (this->frames.back().moves < this->moves.size()) {
                uint64_t over = way.over | overdraft(way.it, this->moves.back().call);
                this->floor = uint32_t(this->nodes.size());
                push(this->take(), over);
            }
            this->frames.pop_back();
        }
        return VALID;
    }

    // The bit of a call's class, if more of it are used with it than were invoked.
    uint64_t overdraft(const Configuration &it, int32_t call) const {
        if (call < 0 || this->calls[call].returns()) return 0;
        int32_t number = this->calls[call].number;
        for (const Pending &kin : this->pending)
            if (this->calls[kin.first].number == number && this->multisets.count(it.used, number)
                                            >= this->invoked(it, kin))
                return Multisets::bit(number);
        return 0;
    }
};

}  // namespace
