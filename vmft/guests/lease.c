/* Leases that end by themselves: op 1 acquires a lock for some ticks, op 2 releases it, op 3 tells
   its holder.

   Every grant has a fencing token, greater than all before it.  Its low bits count a race on
   purpose: `races` is read, changed and written back here and in the timer's handler, and what gets
   lost depends on the very instruction at which the timer struck. */

#include "runtime.h"

enum { ACQUIRE = 1, RELEASE = 2, HOLDER = 3 };
enum { LOCKS = 4, WINDOW = 500, TICK_US = 2000 };

/* Acquire takes `ticks`, release the token that is given up. */
struct __attribute__((packed)) order {
    uint32_t lock, owner, ticks;
    uint64_t token;
};

struct lease {
    uint32_t owner, left;       /* ticks; 0 is free */
    uint64_t token;
};

static volatile struct lease leases[LOCKS];
static volatile uint32_t races;
static uint64_t granted;

INTERRUPT(on_lease_tick)
{
    for (int i = 0; i < LOCKS; i++) {
        if (leases[i].left > 0) {
            leases[i].left -= 1;
        }
    }
    races += 1;
}

static uint32_t race(void)
{
    uint32_t seen = races;
    for (volatile int i = 0; i < WINDOW; i++) {
    }
    races = seen + 1;
    return seen & 0xFFFF;
}

/* With interrupts off, so that a lease does not end between the look and the deed. */
static uint32_t act(uint32_t op, volatile struct lease *lease, const struct order *order,
                    uint64_t token)
{
    int held = lease->left > 0;
    switch (op) {
    case ACQUIRE:
        if (held) {
            return REFUSED;
        }
        lease->owner = order->owner;
        lease->token = token;
        lease->left = order->ticks;
        granted += 1;
        return OK;
    case RELEASE:
        if (!held || lease->owner != order->owner || lease->token != order->token) {
            return REFUSED;
        }
        lease->left = 0;
        return OK;
    default:
        return held ? OK : REFUSED;
    }
}

static void serve(const struct request *request, uint32_t size)
{
    const struct order *order = (const struct order *)request->payload;
    if (size != sizeof *order || request->op < ACQUIRE || request->op > HOLDER
        || order->lock >= LOCKS) {
        answer(request, UNKNOWN_OP, 0, 0);
        return;
    }
    volatile struct lease *lease = &leases[order->lock];
    uint64_t token = (granted + 1) << 16 | race();
    interrupts_off();
    uint32_t status = act(request->op, lease, order, token);
    uint32_t owner = lease->owner;
    token = lease->token;
    interrupts_on();
    memcpy(outgoing->payload, &owner, sizeof owner);
    answer(request, status, (int64_t)token, sizeof owner);
}

void guest(void)
{
    on_interrupt(VECTOR_TIMER, on_lease_tick);
    out(PORT_TIMER_PERIOD_US, TICK_US);
    start_nic();
    serve_all(serve);
}
