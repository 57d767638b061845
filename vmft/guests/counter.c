/* One counter: op 1 increments it and answers the new value, op 2 answers the value.

   The timer keeps a trail of where it struck, so that an interrupt delivered one instruction off
   leaves a mark in memory that stays. */

#include "runtime.h"

enum { INC = 1, READ = 2, TICK_US = 10000 };

static int64_t counter;
static volatile uint64_t ticks, trail;
static struct reply reply;

INTERRUPT(on_timer)
{
    ticks += 1;
    trail = (trail << 7 | trail >> 57) ^ frame->rip ^ frame->rflags << 32;
}

static void serve(const struct request *request)
{
    switch (request->op) {
    case INC:
        counter += 1;
        answer(request, &reply, OK, counter, 0);
        break;
    case READ:
        answer(request, &reply, OK, counter, 0);
        break;
    default:
        answer(request, &reply, UNKNOWN_OP, 0, 0);
    }
}

void guest(void)
{
    on_interrupt(VECTOR_TIMER, on_timer);
    start_nic();
    start_timer(TICK_US);
    for (;;) {
        const struct packet *packet = next_packet();
        if (packet->length >= sizeof(struct request)) {
            serve((const struct request *)packet->data);
        }
        finish_packet();
    }
}
