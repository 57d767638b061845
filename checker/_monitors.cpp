// Native monitors as a Python module; see checker/monitors/.

#include "_buffers.h"
#include "_increments.h"
#include "_sound.h"
#include "_writes.h"

#include <new>

namespace {

// fetch_and_add(ops): None: not for this; else how many calls, -1 or the position of the first op
// that no order explains, and few calls that none explains: see natively in increments.py.
PyObject *fetch_and_add(PyObject *, PyObject *ops) {
    Arena arena;
    if (!PyList_CheckExact(ops)) Py_RETURN_NONE;
    try {
        Increments monitor(ops);
        Place at = first_failure(Place(PyList_GET_SIZE(ops)),
                                 [&](Place last) { return monitor.fails(last); });
        return Py_BuildValue("(nnN)", Py_ssize_t(monitor.count()), Py_ssize_t(at),
                             bytes(monitor.told()));
    } catch (const Odd &) {
        if (PyErr_Occurred()) PyErr_Clear();
        Py_RETURN_NONE;
    } catch (const std::bad_alloc &) {
        return PyErr_NoMemory();
    }
}

// distinct_writes(events, classes, kinds, needs, targets, init): None: not for this; else -1 or the
// event that ends the shortest prefix that fails, and few calls that fail by themselves.
PyObject *distinct_writes(PyObject *, PyObject *args) {
    Arena arena;
    vector<char> seen;
    PyObject *events, *classes, *kinds, *needs, *targets;
    int init;
    if (!PyArg_ParseTuple(args, "OOOOOi", &events, &classes, &kinds, &needs, &targets, &init))
        return nullptr;
    try {
        Numbered calls{Numbers(events), Numbers(classes), Numbers(kinds), Numbers(needs),
                       Numbers(targets), init};
        if (!calls.events || !calls.classes || !calls.kinds || !calls.needs || !calls.targets)
            return nullptr;
        if (!is_state(init) || !sound(calls.events, calls.classes, calls.kinds, calls.needs,
                                      calls.targets, seen)) {
            PyErr_SetString(PyExc_ValueError, "these numbers are no problem");
            return nullptr;
        }
        DistinctWrites monitor(calls);
        if (!monitor.suits) Py_RETURN_NONE;
        Place last = first_failure(Place(calls.events.size()),
                                   [&](Place end) { return monitor.fails(end); });
        return Py_BuildValue("(LN)", static_cast<long long>(last),
                             bytes(monitor.few(calls.events, last)));
    } catch (const std::bad_alloc &) {
        return PyErr_NoMemory();
    }
}

PyMethodDef METHODS[] = {
    {"fetch_and_add", fetch_and_add, METH_O, "See checker/monitors/increments.py."},
    {"distinct_writes", distinct_writes, METH_VARARGS, "See checker/monitors/writes.py."},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, "_monitors", nullptr, 0, METHODS,
                      nullptr, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit__monitors() { return PyModule_Create(&MODULE); }
