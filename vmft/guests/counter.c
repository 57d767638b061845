/* One counter: op 1 increments it and answers the new value, op 2 answers the value. */

#include "runtime.h"

enum { INC = 1, READ = 2, TICK_US = 10000 };

static int64_t counter;

static void serve(const struct request *request, __attribute__((unused)) uint32_t size)
{
    switch (request->op) {
    case INC:
        counter += 1;
        answer(request, OK, counter, 0);
        break;
    case READ:
        answer(request, OK, counter, 0);
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
