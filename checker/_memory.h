// Configurations that have failed, and what fails because they did: see Memory in search.py.

#pragma once

#include "_index.h"
#include "_multisets.h"
#include "_problem.h"

namespace {

template <int Words> class Memory {
  public:
    using Slots = Mask<Words>;

    // Of a configuration: its frontier, state, and what search.py says.
    struct Key {
        uint32_t at;
        int32_t state;
        uint32_t used;
        bool chained;
        const Slots &done, &covered;
    };

    Memory(const Multisets &multisets, uint32_t frontiers)
        : multisets(multisets), any_at(frontiers, false) {}

    size_t size() const { return failures.size(); }
    void clear() {
        for (const Place &each : places)
            if (each.first != NONE) any_at[each.at] = false;
        places.clear();
        failures.clear();
        places_used = 0;
    }

    // No linearization goes on from here, with as many used or more.
    void add(const Key &it) {
        Place &found = place(it.at, it.state);
        uint32_t number = uint32_t(failures.size());
        if (found.first == NONE) {
            found = {it.at, it.state, number, number};
            places_used++;
        } else {
            failures[found.latest].next = number;
            found.latest = number;
        }
        any_at[it.at] = true;
        failures.push_back({it.used, NONE, it.chained, it.done, it.covered});
    }

    // The multiset that it is known to fail with, contained in its own, or NONE.
    uint32_t covering(const Key &it, const Slots &reads) {
        if (!any_at[it.at]) return NONE;
        for (uint32_t i = find(it.at, it.state).first; i != NONE; i = failures[i].next)
            if (dooms(failures[i], it, reads) && multisets.within(failures[i].used, it.used))
                return failures[i].used;
        return NONE;
    }

  private:
    struct Failure {
        uint32_t used, next;
        bool chained;
        Slots done, covered;
    };
    struct Place {                  // of the failures of one frontier and state
        uint32_t at;
        int32_t state;
        uint32_t first, latest;
    };

    Place &place(uint32_t at, int32_t state) {
        if (2 * places_used >= places.size()) {
            vector<Place> old(std::max<size_t>(32, 2 * places.size()), {0, 0, NONE, NONE});
            old.swap(places);
            for (const Place &each : old)
                if (each.first != NONE) find(each.at, each.state) = each;
        }
        return find(at, state);
    }
    Place &find(uint32_t at, int32_t state) {
        uint64_t key = (uint64_t(at) << 32 | uint32_t(state)) * GOLDEN;
        for (size_t i = key ^ key >> 32;; i++) {
            Place &each = places[i & (places.size() - 1)];
            if (each.first == NONE || (each.at == at && each.state == state)) return each;
        }
    }

    // Was the failed configuration at least as well off?
    static bool dooms(const Failure &failure, const Key &it, const Slots &reads) {
        if (failure.chained)
            return it.chained && failure.done == it.done && failure.covered == it.covered;
        for (int i = 0; i < Words; i++) {
            uint64_t fixed = ~reads.word[i] & ~failure.covered.word[i];
            if ((it.done.word[i] & reads.word[i] & ~failure.done.word[i])
                || ((failure.done.word[i] ^ it.done.word[i]) & fixed)
                || (it.covered.word[i] & ~failure.covered.word[i]))
                return false;
        }
        return true;
    }

    const Multisets &multisets;
    vector<Place> places;
    vector<Failure> failures;
    vector<char> any_at;            // by frontier: has anything failed there?
    size_t places_used = 0;
};

}  // namespace
