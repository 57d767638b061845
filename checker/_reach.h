// All that a stretch of a history can have led to: the native twin of checker/reach.py, which says
// what it does and why.

#pragma once

#include <queue>
#include <tuple>

#include "_search.h"

namespace {

template <int Words> class Reach : public Search<Words> {
    using Base = Search<Words>;
    using typename Base::Configuration;
    using typename Base::Slots;

  public:
    using Base::Base;

    // From what stands in some numbers, one after the other, to what stands behind so many returns;
    // VALID, or why that had to end.
    Status run(const vector<int32_t> &begun, uint32_t until, vector<int32_t> &reached) {
        this->deepest = 0;
        if (this->returns) this->reach_out(this->returns - 1);
        for (size_t place = 0; place < begun.size();) put(begin_at(begun, place));
        while (!queue.empty()) {
            Configuration it = queue.top().it;
            queue.pop();
            if (it.at < this->returns) {
                if (this->memory.covering(this->key(it), this->frontiers[it.at].reads) != NONE)
                    continue;
                this->memory.add(this->key(it));
            }
            if (Status cause = this->spent(); cause != VALID) return cause;
            if (it.at >= until) {
                tell(it, reached);
                continue;
            }
            this->frames.push_back({it, uint32_t(this->moves.size()), 0});
            this->generate();
            while (this->frames.back().moves < this->moves.size()) put(this->take());
            this->frames.pop_back();
        }
        return VALID;
    }

  private:
    struct Way {
        uint64_t used, number;
        Configuration it;

        bool operator<(const Way &other) const {    // taken up later
            return std::tie(it.at, used, number)
                > std::tie(other.it.at, other.used, other.number);
        }
    };

    void put(Configuration it) {
        it.order = NONE;
        this->nodes.clear();
        queue.push({this->multisets.size(it.used), numbers++, it});
    }

    // The number of returns before it, a state, calls done and covered, and pairs of a class and
    // how many of it are used, each list behind its length.
    Configuration begin_at(const vector<int32_t> &begun, size_t &place) {
        auto next = [&](int64_t below) -> int32_t {
            int64_t number = place < begun.size() ? begun[place++] : -1;
            if (number >= 0 && number < below) return int32_t(number);
            PyErr_SetString(PyExc_ValueError, "these numbers are no problem");
            throw Raised{};
        };
        auto most = int64_t(begun.size()), calls = int64_t(this->calls.size());
        auto at = uint32_t(next(int64_t(this->returns) + 1));
        Configuration it{at, next(NUMBERS_MAX), 0, NONE, {}, {}, false};
        for (Slots *slots : {&it.done, &it.covered})
            for (int32_t left = next(most); left > 0; left--) {
                const Call &call = this->calls[size_t(next(calls))];
                if (call.returns()) slots->set(call.slot);
            }
        for (int32_t left = next(most); left > 0; left--) {
            int32_t number = next(NUMBERS_MAX);
            for (int32_t many = next(calls + 1); many > 0; many--)
                it.used = this->multisets.more(it.used, number);
        }
        this->settle(it);
        return it;
    }

    // The same of what was reached.
    void tell(const Configuration &it, vector<int32_t> &reached) const {
        reached.push_back(int32_t(it.at));
        reached.push_back(it.state);
        for (const Slots *slots : {&it.done, &it.covered}) {
            size_t length = reached.size();
            reached.push_back(0);
            if (it.at == this->returns) continue;
            for (const uint32_t *call = this->begin(it.at); call != this->end(it.at); call++)
                if (slots->has(this->calls[*call].slot)) {
                    reached.push_back(int32_t(*call));
                    reached[length]++;
                }
        }
        size_t length = reached.size();
        reached.push_back(0);
        this->multisets.each(it.used, [&](int32_t number, int32_t count) {
            reached.push_back(number);
            reached.push_back(count);
            reached[length]++;
        });
    }

    std::priority_queue<Way> queue;
    uint64_t numbers = 0;
};

}  // namespace
