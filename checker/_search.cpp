// The native search as a Python module: numbers in, numbers out.

#include "_sweep.h"

#include <new>

namespace {

// The content of a buffer of 32-bit numbers.
vector<int32_t> numbers(PyObject *source) {
    Py_buffer view;
    if (PyObject_GetBuffer(source, &view, PyBUF_CONTIG_RO)) throw Raised{};
    const auto *first = static_cast<const int32_t *>(view.buf);
    vector<int32_t> found(first, first + view.len / Py_ssize_t(sizeof(int32_t)));
    PyBuffer_Release(&view);
    return found;
}

PyObject *bytes(const vector<int32_t> &found) {
    return PyBytes_FromStringAndSize(reinterpret_cast<const char *>(found.data()),
                                     Py_ssize_t(found.size() * sizeof(int32_t)));
}

// Refuse what would lead outside of an array.  The number of calls that overlap.
size_t checked(const Problem &problem) {
    auto classes = problem.kinds.size();
    bool sound = problem.needs.size() == classes && problem.targets.size() == classes;
    for (int32_t number : problem.classes) sound = sound && size_t(uint32_t(number)) < classes;
    for (size_t i = 0; sound && i < classes; i++)
        sound = problem.needs[i] >= ANYWHERE && problem.targets[i] >= UNASKED
            && problem.kinds[i] >= READ && problem.kinds[i] <= UPDATE
            && (problem.kinds[i] != WRITE || problem.targets[i] >= 0);
    vector<char> seen(problem.classes.size()), returns(seen.size());
    for (int32_t event : problem.events) {      // 1: invoked, 2: returned
        size_t call = size_t(event < 0 ? ~event : event);
        sound = sound && call < seen.size() && seen[call] == (event < 0);
        if (!sound) break;
        seen[call]++;
        returns[call] = event < 0;
    }
    for (int32_t state : problem.starts) sound = sound && state >= 0;
    if (!sound || problem.starts.empty()) {
        PyErr_SetString(PyExc_ValueError, "these numbers are no problem");
        throw Raised{};
    }
    size_t open = 0, most = 0;
    for (int32_t event : problem.events) {
        if (event < 0) open--;
        else if (returns[event]) most = std::max(most, ++open);
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
