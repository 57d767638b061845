// Counters whose increments answer the new value: the native twin of
// checker/monitors/increments.py, which has the argument.

#pragma once

#include "_pairs.h"
#include "_prefix.h"

namespace {

class Increments {
  public:
    // Odd if the calls are anything but increments by one.
    explicit Increments(PyObject *ops)
        : pairs(ops, [&](const Paired &call, Py_ssize_t position) {
              PyObject *op = PyList_GET_ITEM(ops, position);
              if (position == call.invoked) invoke(op);
              else if (call.outcome == OK)
                  answers[size_t(&call - pairs.calls.data())] =
                      Pairs::whole(PyTuple_GET_ITEM(op, VALUE));
          }) {
        if (PyList_GET_SIZE(ops) >= PENDING) throw Odd{};
        keep();
        sort();
        soonest.assign(order.size() + 1, PENDING);
        for (size_t i = order.size(); i-- > 0;)
            soonest[i] = std::min(soonest[i + 1], spans[size_t(order[i])].end);
    }

    // What no order explains is in `few` then.
    Place fails(Place last) {
        Place before = 0;
        size_t spare = 0, previous = order.size();
        for (size_t i = 0; i < order.size(); i++) {
            const Span &each = spans[size_t(order[i])];
            Place answer = answers[size_t(order[i])];
            if (each.end > last) continue;
            if (answer <= before) {
                bool twice = answer == before && before > 0;
                return blame([&](size_t j) { return j == i || (twice && j == previous); }, last);
            }
            if (each.start > soonest[i + 1])
                return blame([&](size_t j) {
                    return j == i || (j > i && end(j) == soonest[i + 1]);
                }, last);
            for (Place gap = answer - before - 1; gap > 0; gap--) {
                while (spare < spans.size() && spans[spare].end <= last) spare++;
                if (spare == spans.size() || spans[spare].start > soonest[i])
                    return blame([&](size_t j) {
                        return j >= i && spans[size_t(order[j])].start < soonest[i];
                    }, last);
                spare++;
            }
            before = answer, previous = i;
        }
        return HOLDS;
    }

    // Of each call: where it is invoked and completed, and how many were invoked before that.
    vector<int32_t> told() {
        vector<int32_t> found;
        std::sort(few.begin(), few.end());
        for (int32_t call : few) {
            const Span &each = spans[size_t(call)];
            auto begun = std::partition_point(spans.begin(), spans.end(), [&](const Span &other) {
                return other.start < each.end;
            });
            found.insert(found.end(), {each.start, each.end, int32_t(begun - spans.begin())});
        }
        return found;
    }

    size_t count() const { return spans.size(); }

  private:
    static constexpr int32_t PENDING = INT32_MAX;

    struct Span {
        int32_t start, end;         // places of ops
    };

    int32_t end(size_t i) const { return spans[size_t(order[i])].end; }

    // Some that returned in a prefix fail by themselves, once all of them have returned.
    template <class Chosen> Place blame(Chosen chosen, Place last) {
        Place known = 0;
        few.clear();
        for (size_t i = 0; i < order.size(); i++) {
            if (end(i) > last || !chosen(i)) continue;
            few.push_back(order[i]);
            known = std::max(known, Place(end(i)));
        }
        return known;
    }

    void invoke(PyObject *op) {
        PyObject *f = PyTuple_GET_ITEM(op, F);
        if (f != inc) {
            if (!PyUnicode_CheckExact(f) || PyUnicode_CompareWithASCIIString(f, "inc")) throw Odd{};
            inc = f;
        }
        if (PyTuple_GET_ITEM(op, VALUE) != Py_None) throw Odd{};
        answers.push_back(0);
    }

    // The calls that did not fail.
    void keep() {
        spans.reserve(answers.size());
        for (size_t call = 0; call < answers.size(); call++) {
            const Paired &each = pairs.calls[call];
            if (each.outcome == FAIL) continue;
            answers[spans.size()] = answers[call];
            bool answered = each.outcome == OK;
            spans.push_back({int32_t(each.invoked), answered ? int32_t(each.completed) : PENDING});
        }
    }

    // Those that answered, by what they answered; what is out of range comes first or last.
    void sort() {
        auto rank = [&](size_t call) {
            return size_t(std::clamp(answers[call], 0ll, static_cast<long long>(spans.size()) + 1));
        };
        vector<int32_t> places(spans.size() + 3);
        for (size_t call = 0; call < spans.size(); call++)
            if (spans[call].end != PENDING) places[rank(call) + 1]++;
        for (size_t i = 1; i < places.size(); i++) places[i] += places[i - 1];
        order.resize(size_t(places.back()));
        for (size_t call = 0; call < spans.size(); call++)
            if (spans[call].end != PENDING) order[size_t(places[rank(call)]++)] = int32_t(call);
    }

    PyObject *inc = nullptr;        // the name that was met, which an op holds
    vector<long long> answers;      // by call
    vector<Span> spans;             // by call
    vector<int32_t> order;
    vector<int32_t> soonest;        // in that order: the first return of this answer and above;
                                    // what returns after a prefix changes nothing within it
    vector<int32_t> few;            // calls that no order explains
    Pairs pairs;
};

}  // namespace
