// The calls of a well-formed history, from its ops: the native twin of histories/history.py.
//
// At anything that is not well-formed it gives up, and Python says what is wrong.

#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace {

using std::vector;

enum Field { PROCESS, TYPE, F, VALUE, TIME, INDEX, FIELDS = 8 };
enum Outcome : uint8_t { OK, FAIL, INFO };
constexpr Py_ssize_t OPEN_NONE = -1, RETIRED = -2, NOWHERE = -1;

struct Odd {};                      // not a well-formed history, or a Python exception is set

struct Call {
    Py_ssize_t invoked, completed;
    Outcome outcome;
};

class Pairs {
  public:
    explicit Pairs(PyObject *ops) : ops(ops) { pair(); }

    PyObject *field(Py_ssize_t position, Field which) const {
        return PyTuple_GET_ITEM(PyList_GET_ITEM(ops, position), which);
    }

    PyObject *ops;
    vector<Call> calls;             // in the order of their invocations

    static long long whole(PyObject *value) {
        int overflow = 0;
        if (!PyLong_CheckExact(value)) throw Odd{};
        long long found = PyLong_AsLongLongAndOverflow(value, &overflow);
        if (overflow) throw Odd{};
        return found;
    }

  private:
    // Each invocation with its completion.
    void pair() {
        std::unordered_map<long long, Py_ssize_t> open;
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
            Py_ssize_t &now = open.try_emplace(whole(process), OPEN_NONE).first->second;
            if (type == INVOKE) {
                if (now != OPEN_NONE) throw Odd{};
                now = Py_ssize_t(calls.size());
                calls.push_back({position, NOWHERE, INFO});
            } else {
                if (now < 0) throw Odd{};
                complete(calls[size_t(now)], position, Outcome(type));
                now = type == INFO ? RETIRED : OPEN_NONE;
            }
        }
    }

    void complete(Call &call, Py_ssize_t position, Outcome outcome) {
        PyObject *invoked = field(call.invoked, F), *completed = field(position, F);
        if (invoked != completed && PyObject_RichCompareBool(invoked, completed, Py_EQ) != 1)
            throw Odd{};
        call.completed = position;
        call.outcome = outcome;
    }

    static constexpr int INVOKE = 3;

    static int type_of(PyObject *type) {
        if (!PyUnicode_CheckExact(type)) throw Odd{};
        const char *names[] = {"ok", "fail", "info", "invoke"};
        for (int each : {INVOKE, int(OK), int(FAIL), int(INFO)})
            if (!PyUnicode_CompareWithASCIIString(type, names[each])) return each;
        throw Odd{};
    }
};

}  // namespace
