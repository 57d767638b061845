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

inline PyObject *bytes(const vector<int32_t> &found) {
    return PyBytes_FromStringAndSize(reinterpret_cast<const char *>(found.data()),
                                     Py_ssize_t(found.size() * sizeof(int32_t)));
}

}  // namespace
