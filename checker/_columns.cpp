// From the ops of a history to the numbers that a search is given, in one pass over the tuples.
//
// The native twin of `build` (checker/problem.py).  It knows well-formed histories only: at
// anything else it answers None, and Python says what is wrong.

#include "_buffers.h"
#include "_calls.h"
#include "_split.h"

#include <new>

namespace {

constexpr int32_t KINDS = 4;
constexpr uint64_t FS_MAX = 1 << 8, UNKNOWN = VALUES_MAX - 1;

struct Class {
    int32_t number, kind;
};

// What the calls ask and are answered, as numbers.
struct Contents {
    struct Content {
        uint32_t f, arg, ret;
        uint64_t key() const { return (uint64_t(f) * VALUES_MAX + arg) * VALUES_MAX + ret; }
    };

    Contents(PyObject *freeze, size_t ops) : values(freeze) { all.reserve(ops / 2); }

    void tell(PyObject *op, bool invokes, const Paired &call, size_t place) {
        PyObject *value = PyTuple_GET_ITEM(op, VALUE);
        if (invokes)
            all.push_back({f_of(PyTuple_GET_ITEM(op, F)), values.number(value), UNKNOWN});
        else if (call.outcome == OK)
            all[place].ret = values.number(value);
    }
    uint32_t f_of(PyObject *f) {
        for (size_t i = 0; i < fs.size(); i++)      // most readers intern them
            if (fs[i] == f) return uint32_t(i);
        for (size_t i = 0; i < fs.size(); i++)
            if (same(fs[i], f)) return uint32_t(i);
        if (fs.size() == FS_MAX) throw Odd{};
        fs.push_back(f);
        return uint32_t(fs.size() - 1);
    }

    Values values;
    vector<PyObject *> fs;          // which ops hold
    vector<Content> all;            // by call
};

// What a model says of its classes, where its rules say it: see Rule in checker/model.py.
class Rules {
  public:
    Rules(PyObject *rules, PyObject *init, bool keyed, Contents &contents)
        : rules(rules), contents(contents), init(contents.values.number(init)), keyed(keyed) {
        for (vector<int32_t> *each : {&kinds, &needs, &targets}) each->reserve(FEW);
        state_of(this->init);
    }

    Class add(const Contents::Content &call) {
        behind_key(call.arg);       // which must be there
        while (known.size() <= call.f) known.push_back(rule_of(contents.fs[known.size()]));
        uint32_t need = found(known[call.f].first, call), next = found(known[call.f].second, call);
        if (next == UNKNOWN && need != UNKNOWN) throw Odd{};
        int32_t kind = need == UNNUMBERED ? WRITE : need == next ? READ : UPDATE;
        bool sure = need != UNNUMBERED && need != UNKNOWN;
        kinds.push_back(kind);
        needs.push_back(sure ? state_of(need) : ANYWHERE);
        targets.push_back(sure || kind == WRITE ? state_of(next) : UNASKED);
        return {int32_t(kinds.size() - 1), kind};
    }

    vector<int32_t> kinds, needs, targets;

  private:
    // Where a state is found: in the argument, the answer, or a pair of values; or nowhere.
    enum Source { ANY, ARG, RET, OLD, NEW, INIT };

    std::pair<Source, Source> rule_of(PyObject *f) const {
        PyObject *rule = PyObject_GetItem(rules, f);
        if (!rule) PyErr_Clear();
        bool sound = rule && PyTuple_Check(rule) && PyTuple_GET_SIZE(rule) == 2;
        Source sources[2] = {};
        for (int i = 0; i < 2 && sound; i++) {
            PyObject *name = PyTuple_GET_ITEM(rule, i);
            sound = PyUnicode_CheckExact(name) && is_source(name, sources[i])
                && (i == 0 || sources[i] != ANY);
        }
        Py_XDECREF(rule);
        if (!sound) throw Odd{};
        return {sources[0], sources[1]};
    }
    // The source of a name, if it is one.
    static bool is_source(PyObject *name, Source &found) {
        const char *names[] = {"", "arg", "ret", "old", "new", "init"}, initials[] = "aroni";
        if (PyUnicode_GET_LENGTH(name) == 0) return found = ANY, true;
        const char *at = std::strchr(initials, int(PyUnicode_READ_CHAR(name, 0)));
        if (!at || !*at) return false;
        found = Source(ARG + (at - initials));
        return !PyUnicode_CompareWithASCIIString(name, names[found]);
    }
    uint32_t found(Source source, const Contents::Content &call) const {
        if (source == ANY || source == INIT) return source == ANY ? UNNUMBERED : init;
        if (source == RET) return call.ret == UNKNOWN ? UNKNOWN : behind_key(call.ret);
        uint32_t arg = behind_key(call.arg);
        if (source == ARG) return arg;
        return source == OLD ? two(arg).first : two(arg).second;
    }
    uint32_t behind_key(uint32_t value) const { return keyed ? two(value).second : value; }
    std::pair<uint32_t, uint32_t> two(uint32_t value) const {
        if (contents.values.parts[value].first == UNNUMBERED) throw Odd{};
        return contents.values.parts[value];
    }
    int32_t state_of(uint32_t value) {
        if (states.size() <= value) states.resize(value + 1, UNASKED);
        if (states[value] == UNASKED) states[value] = count++;
        return states[value];
    }

    static constexpr size_t FEW = 64;

    PyObject *rules;
    Contents &contents;
    uint32_t init;
    bool keyed;                     // arguments and answers are [key value]
    vector<std::pair<Source, Source>> known;    // by f
    vector<int32_t> states;         // by value
    int32_t count = 0;
};

class Numbering {
  public:
    Numbering(PyObject *ops, PyObject *freeze)
        : contents(freeze, size_t(PyList_GET_SIZE(ops))),
          pairs(ops, [&](const Paired &call, Py_ssize_t position) {
              contents.tell(PyList_GET_ITEM(ops, position), position == call.invoked, call,
                            size_t(place_of(call)));
          }) {}

    // Number the calls; `classify` says what is new, of the call at a place.
    template <class Classify> void run(Classify classify) {
        vector<int32_t> at(size_t(PyList_GET_SIZE(pairs.ops)), 0);  // by op: its event, plus one
        vector<Class> known;
        Index index;
        for (vector<int32_t> *each : {&classes, &starts, &ends}) each->reserve(pairs.calls.size());
        firsts.reserve(FEW);
        known.reserve(FEW);
        for (size_t place = 0; place < pairs.calls.size(); place++) {
            const Paired &call = pairs.calls[place];
            uint32_t found = index.number(contents.all[place].key(), uint32_t(known.size()));
            if (found == known.size()) {
                known.push_back(classify(place));
                firsts.push_back(int32_t(call.invoked));
                firsts.push_back(int32_t(call.completed));
            }
            auto [number, kind] = known[found];
            if (call.outcome == FAIL || (call.outcome == INFO && kind == READ)) continue;
            auto self = int32_t(classes.size());
            classes.push_back(number);
            starts.push_back(int32_t(call.invoked));
            ends.push_back(int32_t(call.completed));
            at[size_t(call.invoked)] = self + 1;
            if (call.outcome == OK) at[size_t(call.completed)] = ~self;
        }
        events.resize(at.size());
        size_t count = 0;
        for (int32_t event : at) {      // without a branch, since nobody could foretell it
            events[count] = event - (event > 0);
            count += event != 0;
        }
        events.resize(count);
        while (!events.empty() && events.back() >= 0) events.pop_back();
    }

    vector<int32_t> places() const {
        vector<int32_t> all;
        all.reserve(starts.size() + ends.size() + firsts.size());
        for (const auto *each : {&starts, &ends, &firsts})
            all.insert(all.end(), each->begin(), each->end());
        return all;
    }

    // Ask the table for the class of a call, times KINDS, plus its kind.
    Class ask(PyObject *classify, size_t place) const {
        const Paired &call = pairs.calls[place];
        PyObject *done = call.completed == NOWHERE ? Py_None
                                                   : PyList_GET_ITEM(pairs.ops, call.completed);
        PyObject *answer = PyObject_CallFunctionObjArgs(
            classify, PyList_GET_ITEM(pairs.ops, call.invoked), done, nullptr);
        long number = answer ? PyLong_AsLong(answer) : -1;
        Py_XDECREF(answer);
        if (number < 0 || number > INT32_MAX) throw Odd{};
        return {int32_t(number) / KINDS, int32_t(number) % KINDS};
    }

    Contents contents;
    vector<int32_t> events, classes, starts, ends;
    vector<int32_t> firsts;         // by class: the positions of its first call

  private:
    static constexpr size_t FEW = 64;

    size_t place_of(const Paired &call) const { return size_t(&call - pairs.calls.data()); }

    Pairs pairs;
};

// The calls laid out, for the searches of them.
PyObject *kept(const Numbering &found, const Rules &said) {
    Arena::Away away;
    auto keep = std::make_unique<Kept>();
    keep->events.assign(found.events.begin(), found.events.end());
    if (!keep->calls.lay_out(keep->events, found.classes, said.kinds, said.needs, said.targets))
        throw Odd{};
    PyObject *capsule = PyCapsule_New(keep.get(), KEPT, [](PyObject *gone) {
        delete static_cast<Kept *>(PyCapsule_GetPointer(gone, KEPT));
    });
    if (!capsule) throw Odd{};
    keep.release();
    return capsule;
}

// number(ops, freeze, classify): events, classes, and bytes: the positions where calls start, then
// those where they end, then those of the first call of each class, two a class.
// number(ops, freeze, None, rules, init, keyed): these, then kinds, needs, targets, and the calls
// laid out.
PyObject *number(PyObject *, PyObject *args) {
    Arena arena;
    PyObject *ops, *freeze, *classify, *rules = nullptr, *init = nullptr;
    int keyed = 0;
    if (!PyArg_ParseTuple(args, "O!OO|OOp", &PyList_Type, &ops, &freeze, &classify, &rules, &init,
                          &keyed)) return nullptr;
    if (PyList_GET_SIZE(ops) >= INT32_MAX) Py_RETURN_NONE;
    try {
        Numbering found(ops, freeze);
        if (!init) {
            found.run([&](size_t place) { return found.ask(classify, place); });
            return Py_BuildValue("(NNN)", array_of(found.events), array_of(found.classes),
                                 bytes(found.places()));
        }
        Rules said(rules, init, keyed, found.contents);
        found.run([&](size_t place) { return said.add(found.contents.all[place]); });
        return Py_BuildValue("(NNNNNNN)", array_of(found.events), array_of(found.classes),
                             bytes(found.places()), array_of(said.kinds), array_of(said.needs),
                             array_of(said.targets), kept(found, said));
    } catch (const Odd &) {
        if (PyErr_Occurred()) return nullptr;
        Py_RETURN_NONE;
    } catch (const std::bad_alloc &) {
        return PyErr_NoMemory();
    }
}

// written_twice(kept, init): does any of these calls make the state that another makes, or the
// initial one?
PyObject *written_twice(PyObject *, PyObject *args) {
    Arena arena;
    PyObject *capsule;
    int init;
    if (!PyArg_ParseTuple(args, "Oi", &capsule, &init)) return nullptr;
    auto *kept = static_cast<const Kept *>(PyCapsule_GetPointer(capsule, KEPT));
    if (!kept) return nullptr;
    try {
        vector<char> made;
        for (const Call &call : kept->calls.calls) {
            auto state = size_t(call.target);
            bool makes = call.kind == WRITE || call.need != call.target;
            if (!call.invoked || !makes || call.target < 0) continue;
            if (made.size() <= state) made.resize(2 * state + 16);
            if (made[state]++ || call.target == init) Py_RETURN_TRUE;
        }
        Py_RETURN_FALSE;
    } catch (const std::bad_alloc &) {
        return PyErr_NoMemory();
    }
}

PyMethodDef METHODS[] = {
    {"number", number, METH_VARARGS, "Number the ops of a history; see checker/native.py."},
    {"written_twice", written_twice, METH_VARARGS, "See checker/monitors/writes.py."},
    {"split", split, METH_VARARGS, "The ops of each part; see checker/parts.py."},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, "_columns", nullptr, 0, METHODS,
                      nullptr, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit__columns() { return PyModule_Create(&MODULE); }
