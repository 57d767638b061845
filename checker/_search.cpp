// The native search as a Python module: numbers in, numbers out.

#include "_sweep.h"

#include <new>

namespace {

constexpr size_t SHORT = 1000;      // calls: a search of so few keeps Python's lock at first

// search(events, classes, kinds, needs, targets, starts, limits, step, expired, help), and sweep
// alike: see checker/native.py.
Problem problem_of(PyObject *const *args, Py_ssize_t given) {
    if (given != 10 || !PyTuple_Check(args[5]) || !PyTuple_Check(args[6])
        || (args[9] != Py_None && (!PyTuple_Check(args[9]) || !PyTuple_GET_SIZE(args[9])))) {
        PyErr_SetString(PyExc_TypeError, "a search takes other arguments");
        throw Raised{};
    }
    Problem problem;
    auto &limits = problem.limits;
    if (!PyArg_ParseTuple(args[6], "KKKKKKK", &limits.cuts, &limits.steps_max, &limits.memory_max,
                          &limits.check_every, &limits.leaves_max, &limits.patience,
                          &limits.growth)) throw Raised{};
    limits.check_every = std::max(limits.check_every, 1ull);
    problem.events = numbers(args[0]);
    problem.starts.reserve(size_t(PyTuple_GET_SIZE(args[5])));
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args[5]); i++) {
        long state = PyLong_AsLong(PyTuple_GET_ITEM(args[5], i));
        problem.starts.push_back(state >= 0 && state < NUMBERS_MAX ? int32_t(state) : ILLEGAL);
    }
    problem.step = args[7], problem.expired = args[8], problem.help = args[9];
    if (!PyErr_Occurred() && !problem.lay_out(numbers(args[1]), numbers(args[2]),
                                              numbers(args[3]), numbers(args[4])))
        PyErr_SetString(PyExc_ValueError, "these numbers are no problem");
    if (PyErr_Occurred()) throw Raised{};
    return problem;
}

// The status, the steps, the call it is stuck at, the order, and the leaves: of each its state, how
// many calls, and these.
template <class Engine> PyObject *solve(Problem &problem) {
    vector<int32_t> order, leaves;
    Interpreter python;
    if (problem.calls.size() > SHORT) python.let_go();
    Engine search(problem, python);
    Status status = search.run();
    long stuck = -1;
    if (status == VALID) {
        order.reserve(problem.calls.size());
        search.unwind(search.last, order);
    } else {
        stuck = search.stuck();
        for (const Leaf &leaf : search.leaves) {
            size_t from = leaves.size() + 2;
            leaves.insert(leaves.end(), {leaf.state, 0});
            search.unwind(leaf.order, leaves);
            leaves[from - 1] = int32_t(leaves.size() - from);
        }
    }
    python.take_back();
    if (status == TOLD) return Py_BuildValue("(iKlNy)", status, search.steps, stuck, python.found(), "");
    return Py_BuildValue("(iKlNN)", status, search.steps, stuck, bytes(order), bytes(leaves));
}

template <template <int> class Engine>
PyObject *answer(PyObject *, PyObject *const *args, Py_ssize_t given) {
    Arena arena;
    try {
        Problem problem = problem_of(args, given);
        if (problem.overlap <= 64) return solve<Engine<1>>(problem);
        if (problem.overlap <= 64 * 4) return solve<Engine<4>>(problem);
        if (problem.overlap <= 64 * 32) return solve<Engine<32>>(problem);
        Py_RETURN_NONE;
    } catch (const Raised &) {
        return nullptr;
    } catch (const std::bad_alloc &) {
        return PyErr_NoMemory();
    }
}

PyMethodDef METHODS[] = {
    {"search", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(answer<Search>)),
     METH_FASTCALL, "Look for a linearization; see checker/native.py."},
    {"sweep", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(answer<Sweep>)),
     METH_FASTCALL, "The same breadth first; see checker/native.py."},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, "_search", nullptr, 0, METHODS,
                      nullptr, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit__search() { return PyModule_Create(&MODULE); }
