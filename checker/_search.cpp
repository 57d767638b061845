// The native search as a Python module: numbers in, numbers out.

#include "_reach.h"
#include "_sweep.h"

#include <new>

namespace {

constexpr size_t SHORT = 1000;      // calls: a search of so few keeps Python's lock at first

[[noreturn]] void refuse(PyObject *error, const char *why) {
    if (!PyErr_Occurred()) PyErr_SetString(error, why);
    throw Raised{};
}

// The calls that were kept, or that columns tell of, which then hold the events.
void take_calls(PyObject *told, vector<int32_t> &events, Problem &problem) {
    if (PyCapsule_IsValid(told, KEPT)) {
        auto *kept = static_cast<const Kept *>(PyCapsule_GetPointer(told, KEPT));
        problem.events = kept->events.data();
        problem.calls = kept->calls.calls;
        problem.outline = kept->calls.outline;
        return;
    }
    if (!PyTuple_Check(told) || PyTuple_GET_SIZE(told) != 5)
        refuse(PyExc_TypeError, "a search takes five columns");
    Calls laid_out;
    events = numbers(PyTuple_GET_ITEM(told, 0));
    vector<int32_t> columns[4];
    for (int i = 0; i < 4; i++) columns[i] = numbers(PyTuple_GET_ITEM(told, i + 1));
    if (!laid_out.lay_out(events, columns[0], columns[1], columns[2], columns[3]))
        refuse(PyExc_ValueError, "these numbers are no problem");
    problem.events = events.data();
    problem.calls = std::move(laid_out.calls);
    problem.outline = laid_out.outline;
}

void take_starts(PyObject *told, vector<int32_t> &starts) {
    Py_ssize_t count = PyTuple_Check(told) ? PyTuple_GET_SIZE(told) : 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        long state = PyLong_AsLong(PyTuple_GET_ITEM(told, i));
        if (state < 0 || state >= NUMBERS_MAX)
            refuse(PyExc_ValueError, "these numbers are no problem");
        starts.push_back(int32_t(state));
    }
    if (!count) refuse(PyExc_ValueError, "these numbers are no problem");
}

void take_limits(PyObject *told, Limits &limits) {
    unsigned long long *into[] = {
        &limits.cuts, &limits.steps_max, &limits.memory_max, &limits.check_every,
        &limits.leaves_max, &limits.patience, &limits.growth};
    Py_ssize_t place = 0;
    if (!PyTuple_Check(told) || PyTuple_GET_SIZE(told) != Py_ssize_t(std::size(into)))
        refuse(PyExc_TypeError, "a search takes a tuple of seven limits");
    for (auto *limit : into) *limit = PyLong_AsUnsignedLongLong(PyTuple_GET_ITEM(told, place++));
    if (PyErr_Occurred()) throw Raised{};
    limits.check_every = std::max(limits.check_every, 1ull);
}

// The types of what is answered: see checker/found.py.
PyTypeObject *found_type, *leaf_type;

// A named tuple of these, which it takes over; nothing if one of them is nothing.
PyObject *named(PyTypeObject *type, std::initializer_list<PyObject *> items) {
    bool whole = std::find(items.begin(), items.end(), nullptr) == items.end();
    PyObject *made = whole ? type->tp_alloc(type, Py_ssize_t(items.size())) : nullptr;
    Py_ssize_t place = 0;
    for (PyObject *item : items)
        if (made) PyTuple_SET_ITEM(made, place++, item);
        else Py_XDECREF(item);
    return made;
}

template <class Engine> PyObject *leaves_of(const Engine &search) {
    PyObject *list = PyList_New(0);
    for (const Leaf &each : search.leaves) {
        vector<int32_t> order;
        search.unwind(each.order, order);
        PyObject *leaf = named(leaf_type, {array_of(order), PyLong_FromLong(each.state)});
        if (!leaf || PyList_Append(list, leaf)) Py_CLEAR(list);
        Py_XDECREF(leaf);
        if (!list) break;
    }
    return list;
}

// A Found, which has the status in place of its cause where Python must say more: it ended early,
// or help found something, which is in place of the order.
template <class Engine> PyObject *solve(Problem &problem) {
    Interpreter python;
    if (problem.calls.size() > SHORT) python.let_go();
    Engine search(problem, python);
    Status status = search.run();
    vector<int32_t> order;
    if (status == VALID) search.unwind(search.last, order);
    python.take_back();
    PyObject *steps = PyLong_FromUnsignedLongLong(search.steps);
    if (status == VALID)
        return named(found_type, {Py_NewRef(Py_True), array_of(order), Py_NewRef(Py_None),
                                  PyList_New(0), steps, PyUnicode_New(0, 0)});
    return named(found_type, {
        Py_NewRef(status == INVALID ? Py_False : Py_None),
        status == TOLD ? python.found() : PyTuple_New(0), PyLong_FromLong(search.stuck()),
        leaves_of(search), steps,
        status == INVALID ? PyUnicode_New(0, 0) : PyLong_FromLong(status)});
}

// search(calls, starts, limits, step, expired, help), and sweep alike: see checker/native.py.
template <template <int> class Engine>
PyObject *answer(PyObject *, PyObject *const *args, Py_ssize_t given) {
    Arena arena;
    vector<int32_t> events;
    Problem problem;
    try {
        if (given != 6) refuse(PyExc_TypeError, "a search takes six arguments");
        take_calls(args[0], events, problem);
        take_starts(args[1], problem.starts);
        take_limits(args[2], problem.limits);
        problem.step = args[3], problem.expired = args[4], problem.help = args[5];
        if (problem.help != Py_None && !(PyTuple_Check(args[5]) && PyTuple_GET_SIZE(args[5])))
            refuse(PyExc_TypeError, "help is a tuple");
        if (problem.outline.overlap <= 64) return solve<Engine<1>>(problem);
        if (problem.outline.overlap <= 64 * 4) return solve<Engine<4>>(problem);
        if (problem.outline.overlap <= 64 * 32) return solve<Engine<32>>(problem);
        Py_RETURN_NONE;
    } catch (const Raised &) {
        return nullptr;
    } catch (const std::bad_alloc &) {
        return PyErr_NoMemory();
    }
}

template <class Engine>
PyObject *stands(Problem &problem, const vector<int32_t> &begun, unsigned long until) {
    Interpreter python;
    Engine engine(problem, python);
    vector<int32_t> reached;
    Status status = engine.run(begun, uint32_t(until), reached);
    python.take_back();
    if (status != VALID) Py_RETURN_NONE;
    return bytes(reached);
}

// reach(calls, limits, step, begun, until): what is reached, None: too many; see checker/native.py.
PyObject *reach(PyObject *, PyObject *args) {
    Arena arena;
    vector<int32_t> events;
    Problem problem;
    PyObject *told, *limits, *begun;
    unsigned long until;
    if (!PyArg_ParseTuple(args, "OOOOk", &told, &limits, &problem.step, &begun, &until))
        return nullptr;
    try {
        take_calls(told, events, problem);
        take_limits(limits, problem.limits);
        problem.expired = problem.help = Py_None;
        vector<int32_t> from = numbers(begun);
        if (problem.outline.overlap <= 64) return stands<Reach<1>>(problem, from, until);
        if (problem.outline.overlap <= 64 * 4) return stands<Reach<4>>(problem, from, until);
        Py_RETURN_NOTIMPLEMENTED;
    } catch (const Raised &) {
        return nullptr;
    } catch (const std::bad_alloc &) {
        return PyErr_NoMemory();
    }
}

PyMethodDef METHODS[] = {
    {"reach", reach, METH_VARARGS, "See checker/native.py."},
    {"search", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(answer<Search>)),
     METH_FASTCALL, "Look for a linearization; see checker/native.py."},
    {"sweep", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(answer<Sweep>)),
     METH_FASTCALL, "The same breadth first; see checker/native.py."},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, "_search", nullptr, 0, METHODS,
                      nullptr, nullptr, nullptr, nullptr};

PyTypeObject *type_of(const char *name) {
    PyObject *from = PyImport_ImportModule("checker.found");
    PyObject *found = from ? PyObject_GetAttrString(from, name) : nullptr;
    Py_XDECREF(from);
    return reinterpret_cast<PyTypeObject *>(found);
}

}  // namespace

PyMODINIT_FUNC PyInit__search() {
    found_type = type_of("Found");
    leaf_type = found_type ? type_of("Leaf") : nullptr;
    return leaf_type ? PyModule_Create(&MODULE) : nullptr;
}
