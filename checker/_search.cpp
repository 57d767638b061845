// The native search as a Python module: numbers in, numbers out.

#include "_sweep.h"

#include <new>

namespace {

// Refuse what would lead outside of an array.  The number of calls that overlap.
size_t checked(const Problem &problem) {
    vector<char> seen;
    bool fit = !problem.starts.empty()
        && sound(problem.events, problem.classes, problem.kinds, problem.needs, problem.targets,
                 seen);
    for (int32_t state : problem.starts) fit = fit && is_state(state);
    if (!fit) {
        PyErr_SetString(PyExc_ValueError, "these numbers are no problem");
        throw Raised{};
    }
    size_t open = 0, most = 0;
    for (int32_t event : problem.events) {
        if (event < 0) open--;
        else if (seen[size_t(event)] == RETURNED) most = std::max(most, ++open);
    }
    return most;
}

template <class Engine> PyObject *solve(const Problem &problem) {
    Status status;
    vector<int32_t> order;
    vector<std::pair<vector<int32_t>, int32_t>> leaves;
    unsigned long long steps;
    long stuck = -1;
    {
        Interpreter python;
        Engine search(problem, python);
        status = search.run();
        steps = search.steps;
        if (status == VALID) order = search.unwind(search.last);
        else stuck = search.stuck();
        if (status != VALID)
            for (const Leaf &leaf : search.leaves)
                leaves.emplace_back(search.unwind(leaf.order), leaf.state);
    }
    PyObject *list = PyList_New(0);
    for (const auto &[calls, state] : leaves) {
        PyObject *leaf = list ? Py_BuildValue("(Ni)", bytes(calls), int(state)) : nullptr;
        if (!leaf || PyList_Append(list, leaf)) Py_CLEAR(list);
        Py_XDECREF(leaf);
    }
    return list ? Py_BuildValue("(iKlNN)", int(status), steps, stuck, bytes(order), list) : nullptr;
}

// search(events, classes, kinds, needs, targets, starts, limits, step, expired, refuted), and sweep
// alike: see checker/native.py.
template <template <int> class Engine> PyObject *answer(PyObject *, PyObject *args) {
    Arena arena;
    PyObject *columns[6];
    Problem problem;
    if (!PyArg_ParseTuple(args, "OOOOOO(iKKKKKK)OOO", columns, columns + 1, columns + 2,
                          columns + 3, columns + 4, columns + 5, &problem.cuts,
                          &problem.steps_max, &problem.memory_max, &problem.check_every,
                          &problem.leaves_max, &problem.patience, &problem.growth,
                          &problem.step, &problem.expired, &problem.refuted)) return nullptr;
    try {
        vector<int32_t> *into[] = {&problem.events, &problem.classes, &problem.kinds,
                                   &problem.needs, &problem.targets, &problem.starts};
        for (int i = 0; i < 6; i++) *into[i] = numbers(columns[i]);
        problem.check_every = std::max(problem.check_every, 1ull);
        size_t overlap = checked(problem);
        if (overlap <= 64) return solve<Engine<1>>(problem);
        if (overlap <= 64 * 4) return solve<Engine<4>>(problem);
        if (overlap <= 64 * 32) return solve<Engine<32>>(problem);
        Py_RETURN_NONE;
    } catch (const Raised &) {
        return nullptr;
    } catch (const std::bad_alloc &) {
        return PyErr_NoMemory();
    }
}

PyMethodDef METHODS[] = {
    {"search", answer<Search>, METH_VARARGS, "Look for a linearization; see checker/native.py."},
    {"sweep", answer<Sweep>, METH_VARARGS, "The same breadth first; see checker/native.py."},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, "_search", nullptr, 0, METHODS,
                      nullptr, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit__search() { return PyModule_Create(&MODULE); }
