// Values as numbers: equal ones, as Python has it, get the same.

#pragma once

#include "_index.h"
#include "_pairs.h"

namespace {

constexpr uint32_t VALUES_MAX = 1 << 28;

// Numbers for values of all kinds; a pair, which a cas takes, keeps the numbers of its two.
class Values {
  public:
    explicit Values(PyObject *freeze) : freeze(freeze) {
        std::fill(few, few + FEW_MAX, UNNUMBERED);
    }
    ~Values() { Py_XDECREF(known); }
    Values(const Values &) = delete;

    uint32_t number(PyObject *value, int depth = 0) {
        if (value == Py_None) return among_few(NIL, value);
        if (PyLong_CheckExact(value) || PyBool_Check(value)) {
            long whole = 0;
            bool small = is_compact(value, whole) && whole >= 0 && whole < NIL;
            return small ? among_few(whole, value) : lookup(value);
        }
        if (PyUnicode_CheckExact(value) || PyBytes_CheckExact(value)) return lookup(value);
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
    static constexpr long NIL = 256, FEW_MAX = NIL + 1;
    static constexpr int DEPTH_MAX = 50;

    static bool is_list(PyObject *value) {
        return PyList_CheckExact(value) || PyTuple_CheckExact(value);
    }
    // Of nil or a small number.  The dict knows them only if it holds what may be equal to one.
    uint32_t among_few(long place, PyObject *value) {
        uint32_t &number = few[place];
        if (number == UNNUMBERED) number = mixed ? lookup(value) : add({UNNUMBERED, UNNUMBERED});
        return number;
    }
    void mix() {
        mixed = true;
        for (long place = 0; place < FEW_MAX; place++) {
            if (few[place] == UNNUMBERED) continue;
            PyObject *value = place == NIL ? Py_NewRef(Py_None) : PyLong_FromLong(place);
            bool failed = !value || !keep(value, few[place]);
            Py_XDECREF(value);
            if (failed) throw Odd{};
        }
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
            if (!mixed) mix();
            uint32_t found = lookup(kept);
            Py_DECREF(kept);
            return found;
        } catch (const Odd &) {
            Py_DECREF(kept);
            throw;
        }
    }
    uint32_t lookup(PyObject *value) {
        PyObject *found = known ? PyDict_GetItemWithError(known, value) : nullptr;
        if (found) return uint32_t(PyLong_AsUnsignedLong(found));
        if (PyErr_Occurred()) throw Odd{};
        uint32_t fresh = add({UNNUMBERED, UNNUMBERED});
        if (!keep(value, fresh)) throw Odd{};
        return fresh;
    }
    bool keep(PyObject *value, uint32_t fresh) {
        if (!known) known = PyDict_New();
        PyObject *number = known ? PyLong_FromUnsignedLong(fresh) : nullptr;
        bool kept = number && !PyDict_SetItem(known, value, number);
        Py_XDECREF(number);
        return kept;
    }

    PyObject *freeze, *known = nullptr;
    Index pairs;
    uint32_t few[FEW_MAX];          // by value, nil last
    bool mixed = false;
};

}  // namespace
