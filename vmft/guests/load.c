/* Work of one kind at a time, for measuring: the answer says how much was done.

     1 computes `count` steps of a generator, and answers where it stands
     2 receives: the packet is as long as its sender likes
     3 transmits `count` packets of `size` bytes before the answer, numbered NOBODY
     4 writes, 5 reads `count` times `size` blocks, several operations at once
     6 has the timer tick every `count` microseconds */

#include "runtime.h"

enum { COMPUTE = 1, RECEIVE = 2, TRANSMIT = 3, WRITE = 4, READ = 5, TICK = 6 };
enum { PACKET_MAX = 1400, BLOCKS_MAX = 8, IN_FLIGHT = 8, FIRST_BLOCK = 1024, TICK_US = 10000 };

#define NOBODY 0xFFFFFFFFFFFFFFFF

struct __attribute__((packed)) amount {
    uint32_t count, size;
};

static uint8_t buffers[IN_FLIGHT][BLOCKS_MAX * BLOCK_SIZE];

static uint64_t compute(uint32_t steps)
{
    uint64_t state = 1;
    while (steps-- > 0) {
        state = state * 6364136223846793005 + 1442695040888963407;
        __asm__ volatile("" : "+r"(state));
    }
    return state;
}

static void transmit(const struct request *request, const struct amount *amount)
{
    prepare(request, outgoing, OK, 0);
    outgoing->number = NOBODY;
    for (uint32_t i = 0; i < amount->count; i++) {
        outgoing->value = i;
        send(outgoing, amount->size);
    }
}

/* Every place on the disk has a buffer of its own, and one operation at a time. */
static void start(uint32_t command, uint32_t place, uint32_t blocks)
{
    start_operation(place, command, FIRST_BLOCK + place * BLOCKS_MAX, blocks, buffers[place]);
}

static void move(uint32_t command, const struct amount *amount)
{
    uint32_t issued = 0, ended = 0;
    while (issued < amount->count && issued < IN_FLIGHT) {
        start(command, issued++, amount->size);
    }
    while (ended < amount->count) {
        struct completion done = next_completion();
        if (done.status == 0) {
            ended += 1;
            if (issued == amount->count) {
                continue;
            }
            issued += 1;
        }
        start(command, done.tag, amount->size);
    }
}

static int understood(const struct request *request, const struct amount *amount, uint32_t size)
{
    if (request->op == RECEIVE) {
        return 1;
    }
    if (size != sizeof *amount || request->op < COMPUTE || request->op > TICK) {
        return 0;
    }
    uint32_t most = request->op == TRANSMIT ? PACKET_MAX : BLOCKS_MAX;
    uint32_t least = request->op == TRANSMIT ? sizeof *outgoing : 1;
    int sized = request->op != COMPUTE && request->op != TICK;
    return !sized || (amount->size >= least && amount->size <= most);
}

static void serve(const struct request *request, uint32_t size)
{
    const struct amount *amount = (const struct amount *)request->payload;
    if (!understood(request, amount, size)) {
        answer(request, UNKNOWN_OP, 0, 0);
        return;
    }
    int64_t value = amount->count;
    switch (request->op) {
    case COMPUTE:
        value = (int64_t)compute(amount->count);
        break;
    case RECEIVE:
        value = size;
        break;
    case TRANSMIT:
        transmit(request, amount);
        break;
    case WRITE:
    case READ:
        move(request->op == WRITE ? DISK_WRITE : DISK_READ, amount);
        break;
    case TICK:
        out(PORT_TIMER_PERIOD_US, amount->count);
        break;
    }
    answer(request, OK, value, 0);
}

void guest(void)
{
    start_ticks(TICK_US);
    start_disk();
    start_nic();
    serve_all(serve);
}
