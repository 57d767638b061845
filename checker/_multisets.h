// Multisets of pending classes, numbered; 0 is the empty one.

#pragma once

#include "_index.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace {

class Multisets {
  public:
    Multisets() { add(0); }

    static uint64_t bit(int32_t number) { return uint64_t{1} << number % 64; }
    uint64_t bits(uint32_t used) const { return all[used].bits; }
    uint64_t size(uint32_t used) const {
        uint64_t sum = 0;
        for (const Item *each = begin(used); each != end(used); each++)
            sum += uint64_t(each->count);
        return sum;
    }
    int32_t count(uint32_t used, int32_t number) const {
        for (const Item *each = begin(used); each != end(used); each++)
            if (each->number == number) return each->count;
        return 0;
    }
    template <class Tell> void each(uint32_t used, Tell tell) const {
        for (const Item *each = begin(used); each != end(used); each++)
            tell(each->number, each->count);
    }

    // The multiset with one more of a class.
    uint32_t more(uint32_t used, int32_t extra) {
        size_t from = items.size();
        bool counted = false;
        for (size_t i = all[used].begin; i < all[used].end; i++) {
            Item each = items[i];
            if (!counted && each.number >= extra) {
                counted = true;
                if (each.number == extra) each.count++;
                else items.push_back({extra, 1});
            }
            items.push_back(each);
        }
        if (!counted) items.push_back({extra, 1});
        return number(from);
    }
    // The multiset with these classes only.
    uint32_t only(uint32_t used, uint64_t kept) {
        if (!(all[used].bits & ~kept)) return used;
        size_t from = items.size();
        for (size_t i = all[used].begin; i < all[used].end; i++) {
            Item each = items[i];
            if (bit(each.number) & kept) items.push_back(each);
        }
        return number(from);
    }
    bool within(uint32_t small, uint32_t large) const {
        if (small == large || small == 0) return true;
        if (all[small].bits & ~all[large].bits) return false;
        for (const Item *each = begin(small); each != end(small); each++)
            if (count(large, each->number) < each->count) return false;
        return true;
    }

  private:
    struct Item {
        int32_t number, count;      // of a class; by class

        bool operator==(const Item &other) const {
            return number == other.number && count == other.count;
        }
    };
    struct Multiset {
        size_t begin, end;          // its items
        uint64_t bits, hash;
    };
    static constexpr uint32_t EMPTY = UINT32_MAX;

    const Item *begin(uint32_t used) const { return items.data() + all[used].begin; }
    const Item *end(uint32_t used) const { return items.data() + all[used].end; }

    // The number of the last items, which are dropped if they have one already.
    uint32_t number(size_t from) {
        if (2 * all.size() >= cells.size()) grow();
        uint64_t hash = hashed(from);
        uint32_t &cell = find(hash, from);
        if (cell == EMPTY) {
            cell = uint32_t(all.size());
            add(from, hash);
        } else {
            items.resize(from);
        }
        return cell;
    }
    void add(size_t from, uint64_t hash = 0) {
        uint64_t bits = 0;
        for (size_t i = from; i < items.size(); i++) bits |= bit(items[i].number);
        all.push_back({from, items.size(), bits, hash});
    }
    uint64_t hashed(size_t from) const {
        uint64_t hash = 0;
        for (size_t i = from; i < items.size(); i++) {
            hash ^= uint64_t(uint32_t(items[i].number)) << 32 | uint32_t(items[i].count);
            hash *= GOLDEN;
            hash ^= hash >> 32;
        }
        return hash;
    }
    uint32_t &find(uint64_t hash, size_t from) {
        for (size_t i = hash;; i++) {
            uint32_t &cell = cells[i & (cells.size() - 1)];
            if (cell == EMPTY || (all[cell].hash == hash && equal(cell, from))) return cell;
        }
    }
    bool equal(uint32_t used, size_t from) const {
        return std::equal(begin(used), end(used), items.data() + from, items.data() + items.size());
    }
    void grow() {
        cells.assign(std::max<size_t>(16, 4 * all.size()), EMPTY);
        for (uint32_t used = 0; used < all.size(); used++) {
            size_t i = all[used].hash;
            while (cells[i & (cells.size() - 1)] != EMPTY) i++;
            cells[i & (cells.size() - 1)] = used;
        }
    }

    vector<Item> items;
    vector<Multiset> all;
    vector<uint32_t> cells;         // numbers, by hash
};

}  // namespace
