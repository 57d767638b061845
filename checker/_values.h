// Values as numbers: equal ones, as Python has it, get the same.

#pragma once

#include "_index.h"
#include "_pairs.h"

namespace {

constexpr uint32_t VALUES_MAX = 1 << 28;

// Numbers for values of all kinds; a pair, which a cas takes, keeps the numbers of its two.
class Values {
  public:
    explicit Values(PyObject *freeze) : freeze(freeze), known(PyDict_New()) {
        if (!known) throw Odd{};
        std::fill(small, small + SMALL_MAX, UNNUMBERED);
    }
    ~Values() { Py_DECREF(known); }
    Values(const Values &) = delete;

    uint32_t number(PyObject *value, int depth = 0) {
        if (value == Py_None) {
            if (none == UNNUMBERED) none = lookup(value);
            return none;
        }
        if (PyLong_CheckExact(value)) {
            int overflow = 0;
            long whole = PyLong_AsLongAndOverflow(value, &overflow);
            if (overflow || whole < 0 || whole >= SMALL_MAX) return lookup(value);
            if (small[whole] == UNNUMBERED) small[whole] = lookup(value);
            return small[whole];
        }
        if (PyUnicode_CheckExact(value) || PyBool_Check(value) || PyBytes_CheckExact(value))
            return lookup(value);
        if (is_list(value) && PySequence_Fast_GET_SIZE(value) == 2) {
            if (depth == DEPTH_MAX) throw Odd{};
            PyObject **items = PySequence_Fast_ITEMS(value);
            uint64_t first = number(items[0], depth + 1), second = number(items[1], depth + 1);
            uint32_t found = pairs.number(first << 32 | second, uint32_t(parts.size()));
            return found == parts.size() ? add({uint32_t(first), uint32_t(second)}) : found;
        }
        return frozen(value);
    }

    // The numbers of the two that a pair is made of; UNNUMBERED for what is none.
    vector<std::pair<uint32_t, uint32_t>> parts;

  private:
    static constexpr long SMALL_MAX = 256;
    static constexpr int DEPTH_MAX = 50;

    static bool is_list(PyObject *value) {
        return PyList_CheckExact(value) || PyTuple_CheckExact(value);
    }
    uint32_t add(std::pair<uint32_t, uint32_t> two) {
        if (parts.size() >= VALUES_MAX - 1) throw Odd{};
        parts.push_back(two);
        return uint32_t(parts.size() - 1);
    }
    // What is equal to a pair, and yet none, is not for us.
    uint32_t frozen(PyObject *value) {
        if (PyTuple_Check(value) && !PyTuple_CheckExact(value)) throw Odd{};
        PyObject *kept = PyObject_CallOneArg(freeze, value);
        if (!kept) throw Odd{};
        try {
            uint32_t found = lookup(kept);
            Py_DECREF(kept);
            return found;
        } catch (const Odd &) {
            Py_DECREF(kept);
            throw;
        }
    }
    uint32_t lookup(PyObject *value) {
        PyObject *found = PyDict_GetItemWithError(known, value);
        if (found) return uint32_t(PyLong_AsUnsignedLong(found));
        if (PyErr_Occurred()) throw Odd{};
        uint32_t fresh = add({UNNUMBERED, UNNUMBERED});
        PyObject *number = PyLong_FromUnsignedLong(fresh);
        bool failed = !number || PyDict_SetItem(known, value, number);
        Py_XDECREF(number);
        if (failed) throw Odd{};
        return fresh;
    }

    PyObject *freeze, *known;
    Index pairs;
    uint32_t none = UNNUMBERED, small[SMALL_MAX];
};

}  // namespace
