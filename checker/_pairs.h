// The calls of a well-formed history, from its ops: the native twin of histories/history.py.
//
// At anything that is not well-formed it gives up, and Python says what is wrong.

#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#if PY_VERSION_HEX < 0x030B0000
#include <longintrepr.h>
#endif

#include <cstdint>
#include <cstring>
#include <unordered_map>

#include "_arena.h"

namespace {

enum Field { PROCESS, TYPE, F, VALUE, TIME, INDEX, FIELDS = 8 };
enum Outcome : uint8_t { OK, FAIL, INFO };
constexpr Py_ssize_t OPEN_NONE = -1, RETIRED = -2, NOWHERE = -1;

struct Odd {};                      // not a well-formed history, or a Python exception is set

struct Paired {
    Py_ssize_t invoked, completed;
    Outcome outcome;
};

// Is an int, or a bool, small enough to be taken without asking Python?
inline bool is_compact(PyObject *value, long &found) {
#if PY_VERSION_HEX >= 0x030C0000
    auto *whole = reinterpret_cast<PyLongObject *>(value);
    if (!PyUnstable_Long_IsCompact(whole)) return false;
    found = long(PyUnstable_Long_CompactValue(whole));
#else
    Py_ssize_t size = Py_SIZE(value);
    if (size < -1 || size > 1) return false;
    found = size ? long(size) * long(reinterpret_cast<PyLongObject *>(value)->ob_digit[0]) : 0;
#endif
    return true;
}

// Are two strings equal?
inline bool same(PyObject *one, PyObject *other) {
    if (one == other) return true;
    if (!PyUnicode_CheckExact(one) || !PyUnicode_CheckExact(other)) throw Odd{};
    Py_ssize_t length = PyUnicode_GET_LENGTH(one);
    int kind = PyUnicode_KIND(one);
    return length == PyUnicode_GET_LENGTH(other) && kind == int(PyUnicode_KIND(other))
        && !memcmp(PyUnicode_DATA(one), PyUnicode_DATA(other), size_t(length * kind));
}

class Pairs {
  public:
    explicit Pairs(PyObject *ops) : Pairs(ops, [](const Paired &, Py_ssize_t) {}) {}

    // Tells of each op of a client: its call, as it is then, and its position.
    template <class Tell> Pairs(PyObject *ops, Tell tell) : ops(ops) {
        calls.reserve(size_t(PyList_GET_SIZE(ops)) / 2);
        pair(tell);
    }

    PyObject *field(Py_ssize_t position, Field which) const {
        return PyTuple_GET_ITEM(PyList_GET_ITEM(ops, position), which);
    }

    PyObject *ops;
    vector<Paired> calls;             // in the order of their invocations

    static long long whole(PyObject *value) {
        int overflow = 0;
        long small = 0;
        if (!PyLong_CheckExact(value)) throw Odd{};
        if (is_compact(value, small)) return small;
        long long found = PyLong_AsLongLongAndOverflow(value, &overflow);
        if (overflow) throw Odd{};
        return found;
    }

  private:
    // Each invocation with its completion.
    template <class Tell> void pair(Tell tell) {
        long long latest = -1;
        for (Py_ssize_t position = 0; position < PyList_GET_SIZE(ops); position++) {
            PyObject *op = PyList_GET_ITEM(ops, position);
            if (!PyTuple_Check(op) || PyTuple_GET_SIZE(op) != FIELDS) throw Odd{};
            long long index = whole(field(position, INDEX));
            if (index <= latest) throw Odd{};
            latest = index;
            int type = type_of(field(position, TYPE));
            PyObject *process = field(position, PROCESS);
            if (PyUnicode_CheckExact(process)) {
                if (PyUnicode_CompareWithASCIIString(process, "nemesis")) throw Odd{};
                continue;
            }
            Py_ssize_t &now = open_of(whole(process));
            if (type == INVOKE) {
                if (now != OPEN_NONE) throw Odd{};
                now = Py_ssize_t(calls.size());
                calls.push_back({position, NOWHERE, INFO});
                tell(calls.back(), position);
            } else {
                if (now < 0) throw Odd{};
                complete(calls[size_t(now)], position, Outcome(type));
                tell(calls[size_t(now)], position);
                now = type == INFO ? RETIRED : OPEN_NONE;
            }
        }
    }

    // The place of the open call of a process, or OPEN_NONE or RETIRED.
    Py_ssize_t &open_of(long long process) {
        if (process < 0 || process > PyList_GET_SIZE(ops))
            return far.try_emplace(process, OPEN_NONE).first->second;
        if (size_t(process) >= near.size()) near.resize(size_t(process) * 2 + 16, OPEN_NONE);
        return near[size_t(process)];
    }

    void complete(Paired &call, Py_ssize_t position, Outcome outcome) {
        PyObject *invoked = field(call.invoked, F), *completed = field(position, F);
        if (!same(invoked, completed)) throw Odd{};
        call.completed = position;
        call.outcome = outcome;
    }

    static constexpr int INVOKE = 3;

    int type_of(PyObject *type) {
        for (int each : {INVOKE, int(OK), int(FAIL), int(INFO)})
            if (type == types[each]) return each;
        if (!PyUnicode_CheckExact(type)) throw Odd{};
        const char *names[] = {"ok", "fail", "info", "invoke"};
        Py_ssize_t length = PyUnicode_GET_LENGTH(type);
        int found = length == 2 ? int(OK) : length == 6 ? INVOKE : int(INFO);
        if (length == 4 && PyUnicode_READ_CHAR(type, 0) == 'f') found = FAIL;
        if (PyUnicode_CompareWithASCIIString(type, names[found])) throw Odd{};
        types[found] = type;
        return found;
    }

    PyObject *types[4] = {};        // the strings that were met, which an op holds
    vector<Py_ssize_t> near;        // by process
    std::unordered_map<long long, Py_ssize_t> far;
};

}  // namespace
