// From 64-bit keys to numbers: a hash table that forgets nothing.

#pragma once

#include <cstddef>
#include <cstdint>

#include "_arena.h"

namespace {

constexpr uint32_t UNNUMBERED = UINT32_MAX;
constexpr uint64_t GOLDEN = 0x9e3779b97f4a7c15u;

class Index {
  public:
    // The number of a key; `fresh` is that of a new one.
    uint32_t number(uint64_t key, uint32_t fresh) {
        if (2 * used >= cells.size()) grow();
        Cell &cell = find(key);
        if (cell.number == UNNUMBERED) {
            cell = {key, fresh};
            used++;
        }
        return cell.number;
    }

  private:
    struct Cell {
        uint64_t key = 0;
        uint32_t number = UNNUMBERED;
    };

    Cell &find(uint64_t key) {
        uint64_t hash = key * GOLDEN;
        for (size_t i = hash ^ hash >> 32;; i++) {
            Cell &cell = cells[i & (cells.size() - 1)];
            if (cell.number == UNNUMBERED || cell.key == key) return cell;
        }
    }
    void grow() {
        vector<Cell> old(cells.empty() ? 128 : 2 * cells.size());
        old.swap(cells);
        for (const Cell &each : old)
            if (each.number != UNNUMBERED) find(each.key) = each;
    }

    vector<Cell> cells;
    size_t used = 0;
};

}  // namespace
