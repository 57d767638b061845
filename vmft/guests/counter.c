/* One counter: op 1 increments it and answers the new value, op 2 answers the value. */

#include "runtime.h"

enum { INC = 1, READ = 2, TICK_US = 10000 };

static int64_t counter;
static struct reply reply;

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
    start_ticks(TICK_US);
    start_nic();
    for (;;) {
        const struct packet *packet = next_packet();
        if (packet->length >= sizeof(struct request)) {
            serve((const struct request *)packet->data);
        }
        finish_packet();
    }
}
