/* Tokens that nobody can guess: op 1 draws a new one for a slot, op 2 answers it again.

   A token has in it everything that a processor cannot compute: time, entropy, and the random
   numbers of devices and instructions.  Its answer carries the token that it replaces, 0 if there
   was none. */

#include "runtime.h"

enum { DRAW = 1, ASK = 2, SLOTS = 8, TICK_US = 10000 };

static uint64_t tokens[SLOTS];

static uint64_t read_tscp(void)
{
    uint32_t low, high, processor;
    __asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(processor));
    return ((uint64_t)high << 32 | low) + processor;
}

static uint64_t read_random(void)
{
    uint64_t value;
    __asm__ volatile("1: rdrand %0; jnc 1b" : "=r"(value) : : "cc");
    return value;
}

static uint64_t read_seed(void)
{
    uint64_t value;
    __asm__ volatile("1: rdseed %0; jnc 1b" : "=r"(value) : : "cc");
    return value;
}

static uint64_t mix(uint64_t sum, uint64_t value)
{
    sum = (sum ^ value) * 0x9E3779B97F4A7C15;
    return sum ^ sum >> 29;
}

static uint64_t draw(void)
{
    uint64_t token = mix(0, read_tsc());
    token = mix(token, read_random());
    token = mix(token, read_clock());
    token = mix(token, in(PORT_ENTROPY));
    token = mix(token, read_tscp());
    token = mix(token, read_seed());
    return token | 1;
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
    memcpy(outgoing->payload, &tokens[slot], sizeof tokens[slot]);
    if (request->op == DRAW) {
        tokens[slot] = draw();
    }
    answer(request, OK, (int64_t)tokens[slot], sizeof tokens[slot]);
}

void guest(void)
{
    start_ticks(TICK_US);
    start_nic();
    serve_all(serve);
}
