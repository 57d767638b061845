// Registers in which every value is written once: the native twin of checker/monitors/writes.py,
// which has the argument.

#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstring>
#include <initializer_list>

#include "_arena.h"
#include "_prefix.h"

namespace {

constexpr int32_t READ = 0, WRITE = 1, NONE = -1;

// A buffer of 32-bit numbers, as long as this lives.
class Numbers {
  public:
    explicit Numbers(PyObject *source) : sound(!PyObject_GetBuffer(source, &view, PyBUF_SIMPLE)) {}
    ~Numbers() { if (sound) PyBuffer_Release(&view); }
    Numbers(const Numbers &) = delete;

    explicit operator bool() const { return sound; }
    size_t size() const { return size_t(view.len) / sizeof(int32_t); }
    int32_t operator[](size_t i) const {
        int32_t number;
        std::memcpy(&number, static_cast<const char *>(view.buf) + i * sizeof number,
                    sizeof number);
        return number;
    }

  private:
    Py_buffer view;
    bool sound;
};

// Calls as a search sees them; see Problem and Table in checker/problem.py.
struct Numbered {
    Numbers events, classes, kinds, needs, targets;
    int32_t init;
};

class DistinctWrites {
  public:
    explicit DistinctWrites(const Numbered &calls) : suits(take(calls)) {}

    // Places of calls that no order explains are in `places` then.
    Place fails(Place last) {
        values.assign(size_t(count), Value{});
        because.assign(accesses.size(), accesses.size());
        bad = HOLDS;
        for (seen = 0; seen < accesses.size() && bad == HOLDS; seen++)
            if (accesses[seen].end <= last) see(accesses[seen], last);
        while (!due.empty() && bad == HOLDS) {
            seen = due.back();
            Access call = accesses[seen];
            due.pop_back();
            call.end = NEVER;
            see(call, last);
        }
        due.clear();
        if (bad == HOLDS) find_zones(last);
        if (bad == HOLDS) check_zones(last);
        return bad;
    }

    // Of a prefix that fails: the calls at those places, all that makes what they need, and of the
    // pending ones of these who needs what they make.
    vector<int32_t> few(const Numbers &events, Place last) {
        vector<char> chosen(accesses.size(), 0);
        vector<int32_t> found;
        auto choose = [&](size_t call) {
            if (!chosen[call]++) found.push_back(int32_t(call));
        };
        if (last == HOLDS) return found;
        for (Place place : places) {
            if (place < 0 || place >= Place(events.size())) continue;
            int32_t event = events[size_t(place)];
            choose(size_t(event < 0 ? ~event : event));
        }
        for (size_t i = 0; i < found.size(); i++) {
            int32_t needs = accesses[size_t(found[i])].needs;
            size_t maker = needs == NONE ? accesses.size() : makers[size_t(needs)];
            if (maker < accesses.size() && accesses[maker].start < last) choose(maker);
            size_t after = because[size_t(found[i])];
            if (after < accesses.size()) choose(after);
        }
        std::sort(found.begin(), found.end());
        return found;
    }

  private:
    struct Access {
        Place start, end;           // places of events
        int32_t needs, makes;       // values
    };
    struct Value {
        Access maker{NEVER, NEVER, NONE, NONE};
        int32_t next = NONE;        // the value that took its place by a cas
        bool made = false, placed = false;
        Place first = NEVER, last = -1, known = -1;     // of its reads
    };
    struct Zone {
        Place first, last, known;
    };

    // Copy the calls, with small numbers for the states; false if they are not for this.
    bool take(const Numbered &calls) {
        compact(calls);
        count = states.empty() ? Place(top) : Place(states.size());
        init = value_of(calls.init);
        vector<char> made(static_cast<size_t>(count), 0);
        made[size_t(init)] = 1;
        accesses.assign(calls.classes.size(), {NEVER, NEVER, NONE, NONE});
        for (size_t at = 0; at < calls.events.size(); at++) {
            if (calls.events[at] < 0) {
                accesses[size_t(~calls.events[at])].end = Place(at);
                continue;
            }
            auto call = size_t(calls.events[at]);
            auto number = size_t(calls.classes[call]);
            int32_t needs = calls.needs[number], makes = calls.targets[number];
            if (makes < 0 || (calls.kinds[number] != WRITE && needs < 0)) return false;
            needs = calls.kinds[number] == WRITE ? NONE : value_of(needs);
            makes = value_of(makes);
            if (needs == makes) makes = NONE;
            else if (made[size_t(makes)]++) return false;
            accesses[call] = {Place(at), NEVER, needs, makes};
        }
        makers.assign(size_t(count), accesses.size());
        for (size_t call = 0; call < accesses.size(); call++)
            if (accesses[call].makes != NONE) makers[size_t(accesses[call].makes)] = call;
        return true;
    }

    // One part of many has few of the states of all: then they are numbered anew.
    void compact(const Numbered &calls) {
        top = calls.init + 1;
        for (size_t call = 0; call < calls.classes.size(); call++) {
            auto number = size_t(calls.classes[call]);
            top = std::max({top, calls.needs[number] + 1, calls.targets[number] + 1});
        }
        if (size_t(top) < 8 * calls.classes.size() + 8) return;
        states.push_back(calls.init);
        for (size_t call = 0; call < calls.classes.size(); call++) {
            auto number = size_t(calls.classes[call]);
            for (int32_t state : {calls.needs[number], calls.targets[number]})
                if (state >= 0) states.push_back(state);
        }
        std::sort(states.begin(), states.end());
        states.erase(std::unique(states.begin(), states.end()), states.end());
    }
    int32_t value_of(int32_t state) const {
        if (states.empty()) return state;
        return int32_t(std::lower_bound(states.begin(), states.end(), state) - states.begin());
    }

    // Count a call of the prefix.
    void see(const Access &call, Place last) {
        if (call.makes != NONE) {
            values[size_t(call.makes)].maker = call;
            values[size_t(call.makes)].made = true;
        }
        if (call.needs == NONE) return;
        Value &value = values[size_t(call.needs)];
        if (call.needs != init && !is_made(value, call, last)) return;
        if (call.makes == NONE) {
            value.first = std::min(value.first, call.end);
            value.last = std::max(value.last, call.start);
            value.known = std::max(value.known, call.end);
        } else if (value.next == NONE) {
            value.next = call.makes;
        } else {
            refuse(last, {accesses[makers[size_t(value.next)]].start, call.start});
        }
    }
    // Is there a maker of what a call needs?  If it is pending, it counts from now on.
    bool is_made(Value &value, const Access &call, Place last) {
        size_t maker = makers[size_t(call.needs)];
        Place known = std::min(call.end, last);
        if (maker == accesses.size() || accesses[maker].start > known) refuse(known, {call.start});
        else if (accesses[maker].end > last && !value.made) {
            value.made = true;
            due.push_back(maker);
            because[maker] = seen;
        }
        return bad == HOLDS;
    }

    void find_zones(Place last) {
        zones.clear();
        for (int32_t root = 0; root < count && bad == HOLDS; root++) {
            const Value &value = values[size_t(root)];
            if (root != init && !value.made) continue;
            if (root != init && value.maker.needs != NONE) continue;
            Zone zone{NEVER, -1, -1};
            for (int32_t each = root; each != NONE; each = values[size_t(each)].next)
                extend(zone, values[size_t(each)], each == init, last);
            zones.push_back(zone);
        }
        for (int32_t each = 0; each < count && bad == HOLDS; each++)    // made of each other
            if (values[size_t(each)].made && !values[size_t(each)].placed)
                refuse(last, {values[size_t(each)].maker.start});
    }
    void extend(Zone &zone, Value &value, bool initial, Place last) {
        value.placed = true;
        if (initial) {
            zone.first = -1;
        } else {
            if (value.maker.end < zone.last) refuse(last, {value.maker.start, zone.last});
            zone.first = std::min(zone.first, value.maker.end);
            zone.last = std::max(zone.last, value.maker.start);
            if (value.maker.end <= last) zone.known = std::max(zone.known, value.maker.end);
        }
        if (value.first < zone.last) refuse(last, {value.first, zone.last});
        zone.first = std::min(zone.first, value.first);
        zone.last = std::max(zone.last, value.last);
        zone.known = std::max(zone.known, value.known);
    }

    // No two forward zones overlap, no backward one lies within a forward one.
    void check_zones(Place last) {
        starts.assign(size_t(last) + 1, nullptr);
        const Zone *forward = nullptr;      // the latest that began
        for (const Zone &zone : zones)
            if (std::min(zone.first, zone.last) >= 0)
                starts[size_t(std::min(zone.first, zone.last))] = &zone;
            else forward = &zone;
        for (const Zone *zone : starts) {
            if (!zone) continue;
            bool overlap = forward && std::min(zone->first, zone->last) < forward->last;
            if (zone->first < zone->last) {
                if (overlap) return blame(*zone, *forward);
                forward = zone;
            } else if (overlap && zone->first < forward->last) {
                return blame(*zone, *forward);
            }
        }
    }
    void blame(const Zone &one, const Zone &other) {
        refuse(std::max(one.known, other.known), {one.first, one.last, other.first, other.last});
    }
    void refuse(Place known, std::initializer_list<Place> why) {
        if (bad != HOLDS) return;
        bad = known;
        places = why;
    }

    vector<Access> accesses;
    vector<size_t> makers;          // by value: who makes it, in any prefix
    vector<int32_t> states;         // by value, if they are numbered anew
    int32_t top = 0, init = 0;
    Place count = 0;
    vector<Value> values;           // and what follows: of a prefix
    vector<size_t> due, because;    // because: by pending call, who needs what it makes
    size_t seen = 0;
    vector<Zone> zones;
    vector<const Zone *> starts;    // by place
    Place bad = HOLDS;
    vector<Place> places;

  public:
    const bool suits;
};

}  // namespace
