// Counters whose increments answer the new value: the native twin of
// checker/monitors/increments.py, which has the argument.

#pragma once

#include "_pairs.h"
#include "_prefix.h"

namespace {

class Increments {
  public:
    // Odd if the calls are anything but increments by one.
    explicit Increments(const Pairs &pairs) {
        for (const Call &call : pairs.calls) {
            if (!is_increment(pairs, call)) throw Odd{};
            if (call.outcome == FAIL) continue;
            if (call.outcome == OK) {
                answers.push_back(Pairs::whole(pairs.field(call.completed, VALUE)));
                answered.push_back({call.invoked, call.completed});
            }
            all.push_back({call.invoked, call.outcome == OK ? call.completed : NEVER});
        }
        sort();
        soonest.assign(answered.size() + 1, NEVER);
        for (size_t i = answered.size(); i-- > 0;)
            soonest[i] = std::min(soonest[i + 1], answered[i].end);
    }

    Place fails(Place last) {
        Place before = 0, end_before = 0;
        auto spare = all.begin();
        for (size_t i = 0; i < answered.size(); i++) {
            const Span &each = answered[i];
            if (each.end > last) continue;
            if (answers[i] <= before) return std::max(each.end, end_before);
            if (each.start > soonest[i + 1]) return each.end;
            for (Place gap = answers[i] - before - 1; gap > 0; gap--) {
                while (spare != all.end() && spare->end <= last) ++spare;
                if (spare == all.end() || spare->start > soonest[i]) return last;
                ++spare;
            }
            before = answers[i], end_before = each.end;
        }
        return HOLDS;
    }

    size_t count() const { return all.size(); }

  private:
    struct Span {
        Place start, end;           // places of ops
    };

    bool is_increment(const Pairs &pairs, const Call &call) {
        PyObject *f = pairs.field(call.invoked, F);
        if (f != inc) {
            if (!PyUnicode_CheckExact(f) || PyUnicode_CompareWithASCIIString(f, "inc"))
                return false;
            inc = f;
        }
        return pairs.field(call.invoked, VALUE) == Py_None;
    }

    // In order of answers; those that no order explains, as there are not so many calls, at the
    // ends.
    void sort() {
        auto rank = [&](Place answer) {
            return size_t(std::clamp(answer, Place{0}, Place(all.size()) + 1));
        };
        vector<size_t> places(all.size() + 3);
        for (Place answer : answers) places[rank(answer) + 1]++;
        for (size_t i = 1; i < places.size(); i++) places[i] += places[i - 1];
        vector<Span> spans(answered.size());
        vector<Place> sorted(answered.size());
        for (size_t i = 0; i < answered.size(); i++) {
            size_t place = places[rank(answers[i])]++;
            spans[place] = answered[i], sorted[place] = answers[i];
        }
        answered.swap(spans), answers.swap(sorted);
    }

    PyObject *inc = nullptr;        // the name that was met, which an op holds
    vector<Span> all, answered;
    vector<Place> answers;          // of these
    vector<Place> soonest;          // the first return at this answer and above; what returns
                                    // after a prefix changes nothing within it
};

}  // namespace
