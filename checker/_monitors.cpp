// Counters whose increments answer the new value: the native twin of checker/monitors.py.

#include "_pairs.h"

#include <algorithm>
#include <new>

namespace {

struct Increment {
    Py_ssize_t start, end;          // positions of ops; end NOWHERE: pending
    long long result;
};

class FetchAndAdd {
  public:
    // Odd if the calls are anything but increments by one.
    explicit FetchAndAdd(const Pairs &pairs) {
        for (const Call &call : pairs.calls) {
            PyObject *f = pairs.field(call.invoked, F);
            if (!PyUnicode_CheckExact(f) || PyUnicode_CompareWithASCIIString(f, "inc")
                || pairs.field(call.invoked, VALUE) != Py_None) throw Odd{};
            if (call.outcome == FAIL) continue;
            Increment inc{call.invoked, NOWHERE, 0};
            if (call.outcome == OK) {
                inc.end = call.completed;
                inc.result = Pairs::whole(pairs.field(call.completed, VALUE));
                answered.push_back(inc);
            }
            all.push_back(inc);
        }
        std::sort(answered.begin(), answered.end(), [](const Increment &a, const Increment &b) {
            return a.result != b.result ? a.result < b.result : a.end < b.end;
        });
    }

    // Does some order explain what was seen up to an op?
    bool holds(Py_ssize_t last) {
        kept.clear();
        for (const Increment &inc : answered)
            if (inc.end <= last) kept.push_back(inc);
        soonest.resize(kept.size() + 1);
        soonest[kept.size()] = PY_SSIZE_T_MAX;
        for (size_t i = kept.size(); i-- > 0;)
            soonest[i] = std::min(soonest[i + 1], kept[i].end);
        long long before = 0;
        auto spare = all.begin();
        for (size_t i = 0; i < kept.size(); i++) {
            if (kept[i].result <= before || kept[i].start >= soonest[i + 1]) return false;
            for (long long gap = kept[i].result - before - 1; gap > 0; gap--) {
                while (spare != all.end() && spare->end != NOWHERE && spare->end <= last) ++spare;
                if (spare == all.end() || spare->start > soonest[i]) return false;
                ++spare;
            }
            before = kept[i].result;
        }
        return true;
    }

    vector<Increment> all, answered;

  private:
    vector<Increment> kept;
    vector<Py_ssize_t> soonest;
};

// fetch_and_add(ops): None: not for this; else how many calls, and -1 or the position of the first
// op that no order explains.
PyObject *fetch_and_add(PyObject *, PyObject *ops) {
    if (!PyList_CheckExact(ops)) Py_RETURN_NONE;
    try {
        FetchAndAdd monitor{Pairs(ops)};
        Py_ssize_t low = 0, high = PyList_GET_SIZE(ops);
        auto calls = Py_ssize_t(monitor.all.size());
        if (monitor.holds(high)) return Py_BuildValue("(nn)", calls, Py_ssize_t{-1});
        while (low < high) {
            Py_ssize_t middle = low + (high - low) / 2;
            if (monitor.holds(middle)) low = middle + 1;
            else high = middle;
        }
        return Py_BuildValue("(nn)", calls, low);
    } catch (const Odd &) {
        if (PyErr_Occurred()) PyErr_Clear();
        Py_RETURN_NONE;
    } catch (const std::bad_alloc &) {
        return PyErr_NoMemory();
    }
}

PyMethodDef METHODS[] = {
    {"fetch_and_add", fetch_and_add, METH_O, "See checker/monitors.py."},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, "_monitors", nullptr, 0, METHODS,
                      nullptr, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit__monitors() { return PyModule_Create(&MODULE); }
