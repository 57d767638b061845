/* Echoes, numbered: op 1 answers its payload, and how many the stream has had with this one.  The
   payload starts with the stream's number. */

#include "runtime.h"

enum { ECHO = 1, STREAMS = 16, TICK_US = 10000 };

static int64_t counts[STREAMS];

static void serve(const struct request *request, uint32_t size)
{
    uint32_t stream = STREAMS;
    if (size >= sizeof stream && size <= sizeof outgoing_frame - sizeof *outgoing) {
        memcpy(&stream, request->payload, sizeof stream);
    }
    if (request->op != ECHO || stream >= STREAMS) {
        answer(request, UNKNOWN_OP, 0, 0);
        return;
    }
    memcpy(outgoing->payload, request->payload, size);
    answer(request, OK, ++counts[stream], size);
}

void guest(void)
{
    start_ticks(TICK_US);
    start_nic();
    serve_all(serve);
}
