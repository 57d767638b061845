// The ops of a history by part, where a call's part is its argument or the first of it.
//
// The native twin of `split` (checker/parts.py).  At what is not well-formed, or has no such part,
// it gives up.

#pragma once

#include "_values.h"

namespace {

// The ops of each part, parts in the order of their first ops.
class Split {
  public:
    Split(PyObject *freeze, bool first) : values(freeze), first(first) {}
    ~Split() { Py_XDECREF(parts); }
    Split(const Split &) = delete;

    PyObject *run(PyObject *ops) {
        if (!parts) throw Odd{};
        Pairs pairs(ops, [&](const Paired &call, Py_ssize_t position) {
            PyObject *op = PyList_GET_ITEM(ops, position);
            if (position == call.invoked) {
                owners.push_back(part_of(PyTuple_GET_ITEM(op, VALUE)));
                add(owners.back(), op);
            } else {
                add(owners[size_t(&call - pairs.calls.data())], op);
            }
        });
        return Py_NewRef(parts);
    }

  private:
    uint32_t part_of(PyObject *value) {
        if (first) {
            bool list = PyList_CheckExact(value) || PyTuple_CheckExact(value);
            if (!list || PySequence_Fast_GET_SIZE(value) == 0) throw Odd{};
            value = PySequence_Fast_GET_ITEM(value, 0);
        }
        uint32_t number = values.number(value);
        if (known.size() <= number) known.resize(number + 1, UNNUMBERED);
        if (known[number] == UNNUMBERED) {
            known[number] = uint32_t(PyList_GET_SIZE(parts));
            PyObject *part = PyList_New(0);
            bool added = part && !PyList_Append(parts, part);
            Py_XDECREF(part);
            if (!added) throw Odd{};
        }
        return known[number];
    }
    void add(uint32_t part, PyObject *op) {
        if (PyList_Append(PyList_GET_ITEM(parts, part), op)) throw Odd{};
    }

    Values values;
    bool first;
    vector<uint32_t> known, owners;     // by value and by call: its part
    PyObject *parts = PyList_New(0);
};

// split(ops, freeze, first): a list of ops for each part; None: not for this.
inline PyObject *split(PyObject *, PyObject *args) {
    Arena arena;
    PyObject *ops, *freeze;
    int first;
    if (!PyArg_ParseTuple(args, "O!Op", &PyList_Type, &ops, &freeze, &first)) return nullptr;
    try {
        return Split(freeze, first).run(ops);
    } catch (const Odd &) {
        if (PyErr_Occurred()) return nullptr;
        Py_RETURN_NONE;
    } catch (const std::bad_alloc &) {
        return PyErr_NoMemory();
    }
}

}  // namespace
