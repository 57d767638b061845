// The native twin of vmft/counting.py's hook: counts instructions, stops at an exact one.
//
// The module exposes the hook's address as an integer; Unicorn calls it directly, with the shared
// `Count` as user data, so that no Python runs while the guest does.

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstdint>

namespace {

// Same layout as vmft.counting.Count.
struct Count {
    std::uint64_t retired;
    std::uint64_t target;
    std::uint64_t stopped;
    int (*stop)(void *engine);
};

extern "C" void on_code(void *engine, std::uint64_t, std::uint32_t, void *user_data)
{
    auto *count = static_cast<Count *>(user_data);
    if (count->retired == count->target) {
        count->stopped = 1;
        count->stop(engine);
    } else {
        ++count->retired;
    }
}

PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "vmft._counter",
    "The native instruction counter: on_code is the address of a Unicorn code hook.",
    -1, nullptr, nullptr, nullptr, nullptr, nullptr,
};

}  // namespace

PyMODINIT_FUNC PyInit__counter()
{
    PyObject *module = PyModule_Create(&definition);
    if (module == nullptr) {
        return nullptr;
    }
    PyObject *address = PyLong_FromVoidPtr(reinterpret_cast<void *>(&on_code));
    if (address == nullptr || PyModule_AddObject(module, "on_code", address) < 0) {
        Py_XDECREF(address);
        Py_DECREF(module);
        return nullptr;
    }
    return module;
}
