// From the ops of a history to the numbers that a search is given, in one pass over the tuples.
//
// The native twin of `build` (checker/problem.py).  It knows well-formed histories only: at
// anything else it answers None, and Python says what is wrong.

#include "_pairs.h"

#include <new>

namespace {

constexpr int READ = 0, KINDS = 4;
constexpr uint64_t FS_MAX = 1 << 8, VALUES_MAX = 1 << 28;

bool is_atom(PyObject *value) {
    return PyLong_CheckExact(value) || PyUnicode_CheckExact(value) || value == Py_None
        || PyBool_Check(value) || PyBytes_CheckExact(value);
}

// Values as numbers; equal ones have the same.
class Values {
  public:
    explicit Values(PyObject *freeze) : freeze(freeze), known(PyDict_New()) {
        if (!known) throw Odd{};
    }
    ~Values() { Py_DECREF(known); }
    Values(const Values &) = delete;

    uint64_t number(PyObject *value) {
        if (is_atom(value)) return lookup(value);
        PyObject *frozen = hashable(value);
        if (!frozen) throw Odd{};
        try {
            uint64_t found = lookup(frozen);
            Py_DECREF(frozen);
            return found;
        } catch (const Odd &) {
            Py_DECREF(frozen);
            throw;
        }
    }

  private:
    PyObject *hashable(PyObject *value) {
        if (!PyList_CheckExact(value)) return PyObject_CallOneArg(freeze, value);
        for (Py_ssize_t i = 0; i < PyList_GET_SIZE(value); i++)
            if (!is_atom(PyList_GET_ITEM(value, i))) return PyObject_CallOneArg(freeze, value);
        return PyList_AsTuple(value);
    }
    uint64_t lookup(PyObject *value) {
        PyObject *found = PyDict_GetItemWithError(known, value);
        if (found) return PyLong_AsUnsignedLongLong(found);
        uint64_t number = uint64_t(PyDict_GET_SIZE(known));
        PyObject *fresh = PyErr_Occurred() ? nullptr : PyLong_FromUnsignedLongLong(number);
        bool failed = !fresh || PyDict_SetItem(known, value, fresh) || number >= VALUES_MAX - 1;
        Py_XDECREF(fresh);
        if (failed) throw Odd{};
        return number;
    }

    PyObject *freeze, *known;
};

class Numbering : Pairs {
  public:
    Numbering(PyObject *ops, PyObject *classify, PyObject *freeze)
        : Pairs(ops), classify(classify), values(freeze), fs(freeze) {}

    void run() {
        at.assign(size_t(PyList_GET_SIZE(ops)), 0);
        for (size_t place = 0; place < calls.size(); place++) number(place);
        for (int32_t event : at)
            if (event) events.push_back(event > 0 ? event - 1 : event);
        while (!events.empty() && events.back() >= 0) events.pop_back();
    }

    vector<int32_t> events, classes, places;

  private:
    // Give a call its class, and its events their places.
    void number(size_t place) {
        const Call &call = calls[place];
        uint64_t f = fs.number(field(call.invoked, F));
        uint64_t arg = values.number(field(call.invoked, VALUE));
        uint64_t ret = VALUES_MAX - 1;
        if (call.outcome == OK) ret = values.number(field(call.completed, VALUE));
        if (f >= FS_MAX) throw Odd{};
        uint64_t key = (f * VALUES_MAX + arg) * VALUES_MAX + ret;
        auto [found, added] = known.try_emplace(key);
        if (added) found->second = ask(call);
        int32_t kind = found->second % KINDS, name = found->second / KINDS;
        if (call.outcome == FAIL || (call.outcome == INFO && kind == READ)) return;
        int32_t self = int32_t(classes.size());
        classes.push_back(name);
        places.push_back(int32_t(place));
        at[size_t(call.invoked)] = self + 1;
        if (call.outcome == OK) at[size_t(call.completed)] = ~self;
    }

    // The class of a call, times KINDS, plus its kind.
    int32_t ask(const Call &call) {
        PyObject *done = call.completed == NOWHERE ? Py_None
                                                   : PyList_GET_ITEM(ops, call.completed);
        PyObject *answer = PyObject_CallFunctionObjArgs(
            classify, PyList_GET_ITEM(ops, call.invoked), done, nullptr);
        long number = answer ? PyLong_AsLong(answer) : -1;
        Py_XDECREF(answer);
        if (number < 0 || number > INT32_MAX) throw Odd{};
        return int32_t(number);
    }

    PyObject *classify;
    Values values, fs;
    vector<int32_t> at;             // by op: its call plus one, or the complement of its call
    std::unordered_map<uint64_t, int32_t> known;
};

PyObject *bytes(const vector<int32_t> &found) {
    return PyBytes_FromStringAndSize(reinterpret_cast<const char *>(found.data()),
                                     Py_ssize_t(found.size() * sizeof(int32_t)));
}

PyObject *number(PyObject *, PyObject *args) {
    PyObject *ops, *classify, *freeze;
    if (!PyArg_ParseTuple(args, "O!OO", &PyList_Type, &ops, &classify, &freeze)) return nullptr;
    if (PyList_GET_SIZE(ops) >= INT32_MAX) Py_RETURN_NONE;
    try {
        Numbering numbering(ops, classify, freeze);
        numbering.run();
        return Py_BuildValue("(NNN)", bytes(numbering.events), bytes(numbering.classes),
                             bytes(numbering.places));
    } catch (const Odd &) {
        if (PyErr_Occurred()) return nullptr;
        Py_RETURN_NONE;
    } catch (const std::bad_alloc &) {
        return PyErr_NoMemory();
    }
}

PyMethodDef METHODS[] = {
    {"number", number, METH_VARARGS, "Number the ops of a history; see checker/native.py."},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, "_columns", nullptr, 0, METHODS,
                      nullptr, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit__columns() { return PyModule_Create(&MODULE); }
