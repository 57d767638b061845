// Vectors for what one call of a native function holds: a short history's fit into a small block,
// and cost no allocation; what does not fit is allocated as usual.
//
// A function that uses them has an Arena first, so that it outlives them.  Arenas nest as calls do:
// a search may ask Python, which searches again.  A thread without one allocates as usual.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace {

class Arena {
  public:
    Arena() : outer(innermost) { innermost = this; }
    ~Arena() { innermost = outer; }
    Arena(const Arena &) = delete;

    // While one of these lives, there is no arena: what is allocated may outlive it.
    class Away {
      public:
        Away() : inner(innermost) { innermost = nullptr; }
        ~Away() { innermost = inner; }
        Away(const Away &) = delete;

      private:
        Arena *inner;
    };

    // A place in the block, or nothing.
    static void *take(size_t bytes) {
        Arena *here = innermost;
        bytes = rounded(bytes);
        if (!here || bytes > size_t(here->block + SIZE - here->top)) return nullptr;
        here->top += bytes;
        return here->top - bytes;
    }

    // Was it from the block?  What was taken last can be taken again.
    static bool give_back(void *place, size_t bytes) {
        Arena *here = innermost;
        auto *from = static_cast<unsigned char *>(place);
        if (!here || from < here->block || from >= here->block + SIZE) return false;
        if (from + rounded(bytes) == here->top) here->top = from;
        return true;
    }

  private:
#ifdef __SANITIZE_ADDRESS__
    static constexpr size_t SIZE = 16;      // so that it sees every vector's end
#else
    static constexpr size_t SIZE = 1 << 15;
#endif
    static size_t rounded(size_t bytes) { return (bytes + 15) & ~size_t{15}; }

#ifdef __GLIBC__
    __attribute__((tls_model("initial-exec")))      // of which it keeps some for what loads late
#endif
    static inline thread_local Arena *innermost = nullptr;
    Arena *outer;
    alignas(16) unsigned char block[SIZE];
    unsigned char *top = block;
};

// Takes from the innermost arena of the thread, if there is room.
template <class T> struct Near {
    using value_type = T;

    Near() = default;
    template <class Other> Near(const Near<Other> &) {}

    T *allocate(size_t count) {
        void *place = count < SIZE_MAX / sizeof(T) ? Arena::take(count * sizeof(T)) : nullptr;
        return place ? static_cast<T *>(place) : std::allocator<T>().allocate(count);
    }
    void deallocate(T *place, size_t count) {
        if (!Arena::give_back(place, count * sizeof(T)))
            std::allocator<T>().deallocate(place, count);
    }
    bool operator==(const Near &) const { return true; }
    bool operator!=(const Near &) const { return false; }
};

template <class T> using vector = std::vector<T, Near<T>>;

}  // namespace
