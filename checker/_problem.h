// What the native search stands on: the problem, Python's lock, transitions and multisets.

#pragma once

#include "_buffers.h"
#include "_index.h"
#include "_sound.h"

#include <algorithm>
#include <map>
#include <utility>

namespace {

constexpr int32_t READ = 0, WRITE = 1, UPDATE = 2, ILLEGAL = -1, ANYWHERE = -1, UNASKED = -2;
constexpr uint32_t NONE = UINT32_MAX;
constexpr size_t SIGNALS_EVERY_STEPS = 1 << 16;
constexpr uint64_t GOLDEN = 0x9e3779b97f4a7c15u;
enum ShortCut { READS = 1, FIRST = 2, COVER = 4, LATE = 8, BLAME = 16, DEAD = 32 };
enum Status { VALID, INVALID, STEPS, MEMORY, TIME };

// A set of slots; Words is 1 unless more than 64 calls overlap.
template <int Words> struct Mask {
    uint64_t word[Words] = {};

    bool has(unsigned slot) const { return word[slot / 64] >> slot % 64 & 1; }
    void set(unsigned slot) { word[slot / 64] |= uint64_t{1} << slot % 64; }
    void clear(unsigned slot) { word[slot / 64] &= ~(uint64_t{1} << slot % 64); }
    bool empty() const { return *this == Mask{}; }
    Mask without(const Mask &other) const {
        Mask left;
        for (int i = 0; i < Words; i++) left.word[i] = word[i] & ~other.word[i];
        return left;
    }
    bool operator==(const Mask &other) const {
        return std::equal(word, word + Words, other.word);
    }
};

// What a search is given.
struct Problem {
    vector<int32_t> events, classes, kinds, needs, targets, starts;
    int cuts = 0;
    unsigned long long steps_max = 0, memory_max = 0, check_every = 1, leaves_max = 0;
    unsigned long long patience = 0, growth = 1;
    PyObject *step = nullptr, *expired = nullptr, *refuted = nullptr;
};

// Python's lock, given back while nothing is asked.
class Interpreter {
  public:
    Interpreter() : saved(PyEval_SaveThread()) {}
    ~Interpreter() { PyEval_RestoreThread(saved); }

    template <class Ask> long ask(Ask ask) {
        PyEval_RestoreThread(saved);
        long answer = ask();
        bool raised = PyErr_Occurred() != nullptr;
        saved = PyEval_SaveThread();
        if (raised) throw Raised{};
        return answer;
    }

  private:
    PyThreadState *saved;
};

// Transitions, asked of the model when first needed.
class Transitions {
  public:
    Transitions(const Problem &problem, Interpreter &python) : problem(problem), python(python) {}

    int32_t step(int32_t state, int32_t number) {
        int32_t need = problem.needs[number];
        if (need != ANYWHERE) return state == need ? problem.targets[number] : ILLEGAL;
        if (problem.kinds[number] == WRITE) return problem.targets[number];
        uint64_t key = uint64_t(uint32_t(state)) << 32 | uint32_t(number);
        uint32_t place = places.number(key, uint32_t(answers.size()));
        if (place == answers.size()) {
            answers.push_back(UNASKED);
            answers[place] = ask(state, number);
        }
        return answers[place];
    }

  private:
    int32_t ask(int32_t state, int32_t number) {
        return int32_t(python.ask([&]() -> long {
            PyObject *asked[] = {PyLong_FromLong(state), PyLong_FromLong(number)};
            PyObject *answer = nullptr;
            if (asked[0] && asked[1])
                answer = PyObject_Vectorcall(problem.step, asked, 2, nullptr);
            long value = answer ? PyLong_AsLong(answer) : 0;
            for (PyObject *each : {asked[0], asked[1], answer}) Py_XDECREF(each);
            if (!PyErr_Occurred() && (value < ILLEGAL || value >= NUMBERS_MAX))
                PyErr_Format(PyExc_ValueError, "%ld is no state", value);
            return value;
        }));
    }

    const Problem &problem;
    Interpreter &python;
    Index places;                   // of states and classes
    vector<int32_t> answers;
};

// Multisets of pending classes, numbered; 0 is the empty one.
class Multisets {
  public:
    using Counts = vector<std::pair<int32_t, int32_t>>;     // (class, how many), by class

    Multisets() { number({}); }

    static uint64_t bit(int32_t number) { return uint64_t{1} << number % 64; }
    uint64_t bits(uint32_t used) const { return all_bits[used]; }
    uint64_t size(uint32_t used) const {
        uint64_t sum = 0;
        for (const auto &each : *all[used]) sum += uint64_t(each.second);
        return sum;
    }

    int32_t count(uint32_t used, int32_t number) const {
        for (const auto &[each, count] : *all[used])
            if (each == number) return count;
        return 0;
    }
    uint32_t more(uint32_t used, int32_t extra) {
        Counts counts = *all[used];
        auto place = std::lower_bound(counts.begin(), counts.end(), std::make_pair(extra, 0));
        if (place != counts.end() && place->first == extra) place->second++;
        else counts.insert(place, {extra, 1});
        return number(counts);
    }
    uint32_t only(uint32_t used, uint64_t kept) {
        if (!(all_bits[used] & ~kept)) return used;
        Counts counts;
        for (const auto &each : *all[used])
            if (bit(each.first) & kept) counts.push_back(each);
        return number(counts);
    }
    bool within(uint32_t small, uint32_t large) const {
        if (small == large || small == 0) return true;
        if (all_bits[small] & ~all_bits[large]) return false;
        for (const auto &[each, least] : *all[small])
            if (count(large, each) < least) return false;
        return true;
    }

  private:
    uint32_t number(const Counts &counts) {
        auto [found, added] = numbers.try_emplace(counts, uint32_t(all.size()));
        if (added) {
            uint64_t bits = 0;
            for (const auto &each : counts) bits |= bit(each.first);
            all.push_back(&found->first);
            all_bits.push_back(bits);
        }
        return found->second;
    }

    using Node = Near<std::pair<const Counts, uint32_t>>;

    std::map<Counts, uint32_t, std::less<Counts>, Node> numbers;
    vector<const Counts *> all;
    vector<uint64_t> all_bits;
};

}  // namespace
