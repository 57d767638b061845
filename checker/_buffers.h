// Arrays of 32-bit numbers between Python and here.

#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstdint>
#include <vector>

namespace {

using std::vector;

struct Raised {};                   // a Python exception is set

// The content of a buffer of 32-bit numbers.
inline vector<int32_t> numbers(PyObject *source) {
    Py_buffer view;
    if (PyObject_GetBuffer(source, &view, PyBUF_CONTIG_RO)) throw Raised{};
    const auto *first = static_cast<const int32_t *>(view.buf);
    vector<int32_t> found(first, first + view.len / Py_ssize_t(sizeof(int32_t)));
    PyBuffer_Release(&view);
    return found;
}

inline PyObject *bytes(const vector<int32_t> &found) {
    return PyBytes_FromStringAndSize(reinterpret_cast<const char *>(found.data()),
                                     Py_ssize_t(found.size() * sizeof(int32_t)));
}

}  // namespace
