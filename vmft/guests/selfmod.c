/* A register whose value is code: op 1 sets it, op 2 answers it.

   What is answered is the immediate of an instruction, which the guest overwrites.  The new value
   comes from code too, by one of three ways: an instruction that is overwritten by the one before
   it, code executed where a packet brought it, or code that went to the disk and came back into a
   buffer.  Whoever executes what used to be there answers an old value. */

#include "runtime.h"

enum { SET = 1, GET = 2 };
enum { BY_STORE = 0, BY_PACKET = 1, BY_DISK = 2, WAYS = 3 };
enum { CODE_SIZE = 6, FIRST_BLOCK = 128, BLOCKS = 4, TICK_US = 10000 };

/* The code is `mov eax, value; ret`. */
struct __attribute__((packed)) setting {
    uint32_t value;
    uint8_t code[CODE_SIZE];
};

typedef uint32_t function(void);

static uint8_t leaving[BLOCK_SIZE], loaded[BLOCK_SIZE];

__attribute__((naked, noinline)) static uint32_t held(void)
{
    __asm__("movl $0, %eax\n"
            "ret\n");
}

static void hold(uint32_t value)
{
    *(volatile uint32_t *)((uint8_t *)held + 1) = value;
}

/* Overwrites the next instruction, and answers what that one says. */
__attribute__((naked, noinline)) static uint32_t by_store(__attribute__((unused)) uint32_t value)
{
    __asm__("movl %edi, 1f + 1(%rip)\n"
            "1: movl $0, %eax\n"
            "ret\n");
}

static uint32_t execute(const volatile uint8_t *code)
{
    return ((function *)code)();
}

/* Until the only operation on its way has ended well. */
static void move(uint32_t command, uint32_t block, uint8_t *buffer)
{
    do {
        start_operation(block, command, block, 1, buffer);
    } while (next_completion().status != 0);
}

static uint32_t by_disk(const struct setting *setting)
{
    uint32_t block = FIRST_BLOCK + setting->value % BLOCKS;
    memcpy(leaving, setting->code, CODE_SIZE);
    move(DISK_WRITE, block, leaving);
    move(DISK_READ, block, loaded);
    return execute(loaded);
}

static uint32_t follow(const struct setting *setting)
{
    switch (setting->value % WAYS) {
    case BY_STORE:
        return by_store(setting->value);
    case BY_PACKET:
        return execute(setting->code);
    default:
        return by_disk(setting);
    }
}

static void serve(const struct request *request, uint32_t size)
{
    const struct setting *setting = (const struct setting *)request->payload;
    if (request->op == SET && size == sizeof *setting) {
        hold(follow(setting));
    } else if (request->op != GET) {
        answer(request, UNKNOWN_OP, 0, 0);
        return;
    }
    answer(request, OK, held(), 0);
}

void guest(void)
{
    start_ticks(TICK_US);
    start_disk();
    start_nic();
    serve_all(serve);
}
