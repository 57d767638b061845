/* Nearly nothing: the guest sleeps, and counts.  Op 1 answers the ticks of the timer, and behind
   them how often the guest woke: one more or one less when it woke at another instruction. */

#include "runtime.h"

enum { TICKS = 1, TICK_US = 10000 };

static uint64_t wakes;

static void serve(const struct request *request)
{
    if (request->op != TICKS) {
        answer(request, UNKNOWN_OP, 0, 0);
        return;
    }
    memcpy(outgoing->payload, &wakes, sizeof wakes);
    answer(request, OK, (int64_t)ticks, sizeof wakes);
}

void guest(void)
{
    start_ticks(TICK_US);
    start_nic();
    for (;;) {
        interrupts_off();
        if (!packet_waits()) {
            sleep();
            wakes += 1;
            continue;
        }
        interrupts_on();
        const struct packet *packet = next_packet();
        if (packet->length >= sizeof(struct request)) {
            serve((const struct request *)packet->data);
        }
        finish_packet();
    }
}
