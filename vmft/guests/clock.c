/* A clock: op 1 answers the time of the clock device, op 2 that of the processor's counter, both in
   nanoseconds.  The counter is read READINGS times; an answer of 0 says that it went back
   meanwhile. */

#include "runtime.h"

enum { NOW = 1, TSC = 2, READINGS = 8, TICK_US = 10000 };

static uint64_t count(void)
{
    uint64_t latest = read_tsc();
    for (int i = 1; i < READINGS; i++) {
        uint64_t next = read_tsc();
        if (next < latest) {
            return 0;
        }
        latest = next;
    }
    return latest;
}

static void serve(const struct request *request, __attribute__((unused)) uint32_t size)
{
    switch (request->op) {
    case NOW:
        answer(request, OK, (int64_t)read_clock(), 0);
        break;
    case TSC:
        answer(request, OK, (int64_t)count(), 0);
        break;
    default:
        answer(request, UNKNOWN_OP, 0, 0);
    }
}

void guest(void)
{
    start_ticks(TICK_US);
    start_nic();
    serve_all(serve);
}
