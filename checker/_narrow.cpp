// A problem of which most calls are loosened: the native twin of `loosened` (checker/problem.py).

#include "_buffers.h"
#include "_sound.h"

#include <new>

namespace {

constexpr int32_t READ = 0, KINDS = 4;
constexpr long UNASKED = -1;

// Calls may not be what they say; classes are asked of Python, once each.
class Loosening {
  public:
    Loosening(vector<int32_t> classes, PyObject *loosen)
        : classes(std::move(classes)), loosen(loosen), returned(this->classes.size()) {}

    void run(const vector<int32_t> &until, const vector<char> &tight) {
        for (int32_t event : until) {
            if (size_t(event < 0 ? ~event : event) >= classes.size()) refuse();
            if (event < 0) returned[size_t(~event)] = tight[size_t(~event)];
        }
        for (int32_t event : until) {
            size_t call = size_t(event < 0 ? ~event : event);
            if (event < 0 ? returned[call] : returned[call] || !reads(classes[call]))
                events.push_back(event);
        }
        while (!events.empty() && events.back() >= 0) events.pop_back();
    }

    vector<int32_t> events, classes;

  private:
    // Loosens a class.  Is it one of reads?
    bool reads(int32_t &number) {
        if (number < 0 || number >= NUMBERS_MAX) refuse();
        if (size_t(number) >= loose.size()) loose.resize(size_t(number) + 1, UNASKED);
        long &answer = loose[size_t(number)];
        if (answer == UNASKED) {
            PyObject *said = PyObject_CallFunction(loosen, "i", int(number));
            answer = said ? PyLong_AsLong(said) : 0;
            Py_XDECREF(said);
            if (PyErr_Occurred()) throw Raised{};
        }
        number = int32_t(answer / KINDS);
        return answer % KINDS == READ;
    }
    [[noreturn]] static void refuse() {
        PyErr_SetString(PyExc_ValueError, "these numbers are no problem");
        throw Raised{};
    }

    PyObject *loosen;
    vector<char> returned;          // by call: in time, and it is tight
    vector<long> loose;             // by class
};

// loosened(events, classes, tight, last, loosen): events and classes; see checker/problem.py.
PyObject *loosened(PyObject *, PyObject *args) {
    Arena arena;
    PyObject *columns[2], *tight, *loosen;
    Py_ssize_t last;
    if (!PyArg_ParseTuple(args, "OOOnO", columns, columns + 1, &tight, &last, &loosen))
        return nullptr;
    try {
        vector<int32_t> until = numbers(columns[0]), classes = numbers(columns[1]);
        if (last >= 0 && size_t(last) < until.size()) until.resize(size_t(last) + 1);
        vector<char> kept(classes.size(), tight == Py_None);
        if (tight != Py_None)
            for (int32_t call : numbers(tight))
                if (size_t(call) < kept.size()) kept[size_t(call)] = true;
        Loosening found(std::move(classes), loosen);
        found.run(until, kept);
        return Py_BuildValue("(NN)", bytes(found.events), bytes(found.classes));
    } catch (const Raised &) {
        return nullptr;
    } catch (const std::bad_alloc &) {
        return PyErr_NoMemory();
    }
}

PyMethodDef METHODS[] = {
    {"loosened", loosened, METH_VARARGS, "See checker/problem.py."},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, "_narrow", nullptr, 0, METHODS,
                      nullptr, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit__narrow() { return PyModule_Create(&MODULE); }
