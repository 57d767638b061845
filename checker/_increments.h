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

    Place fails(Place last) const {
        Place before = 0, end_before = 0;
        size_t spare = 0;
        for (size_t i = 0; i < order.size(); i++) {
            const Span &each = spans[size_t(order[i])];
            Place answer = answers[size_t(order[i])];
            if (each.end > last) continue;
            if (answer <= before) return std::max(Place(each.end), end_before);
            if (each.start > soonest[i + 1]) return each.end;
            for (Place gap = answer - before - 1; gap > 0; gap--) {
                while (spare < spans.size() && spans[spare].end <= last) spare++;
                if (spare == spans.size() || spans[spare].start > soonest[i]) return last;
                spare++;
            }
            before = answer, end_before = each.end;
        }
        return HOLDS;
    }

    size_t count() const { return spans.size(); }

  private:
    static constexpr int32_t PENDING = INT32_MAX;

    struct Span {
        int32_t start, end;         // places of ops
    };

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
    Pairs pairs;
};

}  // namespace
