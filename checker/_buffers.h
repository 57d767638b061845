// Arrays of 32-bit numbers between Python and here.

#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstdint>
#include <cstring>

#include "_arena.h"

namespace {

struct Raised {};                   // a Python exception is set

// The content of a buffer of 32-bit numbers.
inline vector<int32_t> numbers(PyObject *source) {
    Py_buffer view;
    if (PyObject_GetBuffer(source, &view, PyBUF_CONTIG_RO)) throw Raised{};
    vector<int32_t> found(size_t(view.len) / sizeof(int32_t));
    if (!found.empty()) std::memcpy(found.data(), view.buf, found.size() * sizeof(int32_t));
    PyBuffer_Release(&view);
    return found;
}

// An array.array of them, made of one number by repeating it, which is the fastest way to one.
inline PyObject *array_of(const vector<int32_t> &found) {
    static PyObject *one = nullptr;
    if (!one) {
        PyObject *module = PyImport_ImportModule("array");
        one = module ? PyObject_CallMethod(module, "array", "s[i]", "i", 0) : nullptr;
        Py_XDECREF(module);
    }
    PyObject *made = one ? PySequence_Repeat(one, Py_ssize_t(found.size())) : nullptr;
    Py_buffer view;
    if (!made || PyObject_GetBuffer(made, &view, PyBUF_CONTIG)) return nullptr;
    if (!found.empty()) std::memcpy(view.buf, found.data(), found.size() * sizeof(int32_t));
    PyBuffer_Release(&view);
    return made;
}

inline PyObject *bytes(const vector<int32_t> &found) {
    return PyBytes_FromStringAndSize(reinterpret_cast<const char *>(found.data()),
                                     Py_ssize_t(found.size() * sizeof(int32_t)));
}

}  // namespace
