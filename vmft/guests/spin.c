/* Spins on a buffer until the disk's data is in it, and counts: op 1 draws a slot's new count, op 2
   answers it again.

   A draw reads the slot's block, which has its last count in every word, and answers what it found
   there too, or TORN for a block that is not all the same.  Then it writes the new count back and
   does not wait: the next draw's read may be issued before that write has ended.  Meanwhile packets
   arrive, and it marks at which turns. */

#include "runtime.h"

enum { DRAW = 1, ASK = 2 };
enum { SLOTS = 8, FIRST_BLOCK = 64, WORDS = BLOCK_SIZE / sizeof(uint64_t), TICK_US = 10000 };

#define UNTOUCHED 0xFFFFFFFFFFFFFFFF
#define TORN 0xFFFFFFFFFFFFFFFE

static volatile uint64_t target[WORDS];
static uint64_t leaving[WORDS];
static uint64_t counts[SLOTS];      /* turns in the low half, the mark of arrivals in the high */
static uint32_t written_again;      /* slots, a bit each, since the latest read was started */

/* An operation's tag is its slot for a write, and SLOTS more for a read. */
static void start_read(uint32_t slot)
{
    start_operation(SLOTS + slot, DISK_READ, FIRST_BLOCK + slot, 1, target);
}

static void start_write(uint32_t slot)
{
    for (size_t i = 0; i < WORDS; i++) {
        leaving[i] = counts[slot];
    }
    start_operation(slot, DISK_WRITE, FIRST_BLOCK + slot, 1, leaving);
    leaving[0] = TORN;
}

static void retry_failed(void)
{
    while (completion_waits()) {
        struct completion done = next_completion();
        if (done.status != 0 && done.tag < SLOTS) {
            start_write(done.tag);
            written_again |= 1u << done.tag;
        } else if (done.status != 0) {
            start_read(done.tag - SLOTS);
        }
    }
}

static uint64_t spin(void)
{
    volatile uint64_t *last = &target[WORDS - 1];
    uint32_t turns = 0, mark = 0, seen = nic.head;
    do {
        turns += 1;
        if (nic.head != seen) {
            seen = nic.head;
            mark = mark * 31 + turns;
        }
        retry_failed();
    } while (*last == UNTOUCHED);
    retry_failed();
    return (uint64_t)mark << 32 | turns;
}

static uint64_t found(void)
{
    for (size_t i = 1; i < WORDS; i++) {
        if (target[i] != target[0]) {
            return TORN;
        }
    }
    return target[0];
}

static void serve(const struct request *request, uint32_t size)
{
    uint32_t slot = SLOTS;
    if (size == sizeof slot) {
        memcpy(&slot, request->payload, sizeof slot);
    }
    if (slot >= SLOTS || (request->op != DRAW && request->op != ASK)) {
        answer(request, UNKNOWN_OP, 0, 0);
        return;
    }
    uint64_t before = counts[slot];
    if (request->op == DRAW) {
        uint64_t turns;
        do {            /* a write that failed before this read may have left anything there */
            written_again = 0;
            target[WORDS - 1] = UNTOUCHED;
            start_read(slot);
            turns = spin();
        } while (written_again & 1u << slot);
        counts[slot] = turns;
        before = found();
        start_write(slot);
    }
    memcpy(outgoing->payload, &before, sizeof before);
    answer(request, OK, (int64_t)counts[slot], sizeof before);
}

void guest(void)
{
    start_ticks(TICK_US);
    start_disk();
    start_nic();
    serve_all(serve);
}
