// What the native search asks of Python: transitions, whether to go on, help.

#pragma once

#include "_index.h"
#include "_problem.h"

#include <utility>

namespace {

// Python's lock, given back while nothing is asked.  A short search is over before anybody else
// could have taken it.
class Interpreter {
  public:
    ~Interpreter() {
        take_back();
        Py_XDECREF(helper);
        Py_XDECREF(told);
    }

    void let_go() {
        if (!saved) saved = PyEval_SaveThread();
    }
    template <class Ask> long ask(Ask ask) {
        bool was_free = saved != nullptr;
        take_back();
        long answer = ask();
        if (PyErr_Occurred()) throw Raised{};
        if (was_free) let_go();
        return answer;
    }

    // Ask for help, which is made with what `help` has when it is first asked.  INVALID: it is
    // known that no order gets past the return where the search is stuck; TOLD: all is known.
    Status help(PyObject *help, uint32_t stuck, uint64_t spend) {
        return Status(ask([&]() -> long {
            if (!helper) {
                PyObject *given = PyTuple_GetSlice(help, 1, PyTuple_GET_SIZE(help));
                helper = given ? PyObject_CallObject(PyTuple_GET_ITEM(help, 0), given) : nullptr;
                Py_XDECREF(given);
            }
            if (helper)
                told = PyObject_CallFunction(helper, "iK", int(stuck), (unsigned long long)spend);
            if (!told || !PyBool_Check(told)) return TOLD;
            bool refuted = told == Py_True;
            Py_CLEAR(told);
            return refuted ? INVALID : VALID;
        }));
    }
    // What help found, which ended the search; a new reference.
    PyObject *found() { return std::exchange(told, nullptr); }

    void take_back() {
        if (saved) PyEval_RestoreThread(saved);
        saved = nullptr;
    }

  private:
    PyThreadState *saved = nullptr;
    PyObject *helper = nullptr, *told = nullptr;
};

// Transitions, asked of the model when first needed.
class Transitions {
  public:
    Transitions(PyObject *told, Interpreter &python) : told(told), python(python) {}

    int32_t step(int32_t state, const Call &call) {
        if (call.need != ANYWHERE) return state == call.need ? call.target : ILLEGAL;
        if (call.kind == WRITE) return call.target;
        uint64_t key = uint64_t(uint32_t(state)) << 32 | uint32_t(call.number);
        uint32_t place = places.number(key, uint32_t(answers.size()));
        if (place == answers.size()) {
            answers.push_back(UNASKED);
            answers[place] = ask(state, call.number);
        }
        return answers[place];
    }

  private:
    int32_t ask(int32_t state, int32_t number) {
        return int32_t(python.ask([&]() -> long {
            PyObject *asked[] = {PyLong_FromLong(state), PyLong_FromLong(number)};
            PyObject *answer = nullptr;
            if (asked[0] && asked[1]) answer = PyObject_Vectorcall(told, asked, 2, nullptr);
            long value = answer ? PyLong_AsLong(answer) : 0;
            for (PyObject *each : {asked[0], asked[1], answer}) Py_XDECREF(each);
            if (!PyErr_Occurred() && (value < ILLEGAL || value >= NUMBERS_MAX))
                PyErr_Format(PyExc_ValueError, "%ld is no state", value);
            return value;
        }));
    }

    PyObject *told;
    Interpreter &python;
    Index places;                   // of states and classes
    vector<int32_t> answers;
};

}  // namespace
