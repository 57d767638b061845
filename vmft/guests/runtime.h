/* What every guest stands on: boot, interrupts, ports, console, timer, network card, disk.

   A guest is one C file that includes this header once and defines `void guest(void)`.  It runs at
   privilege level 0 in long mode without paging, on one stack, and uses general registers only.
   An interrupt handler is written

       INTERRUPT(on_timer) { ticks += 1; }

   and sees what it interrupted in `frame`.  The device ports are in ports.h, which comes from
   vmft/ports.py. */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "ports.h"

#define STACK_SIZE 8192
#define GATES 0x30

/* Processor */

static inline void out(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint32_t in(uint16_t port)
{
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline void interrupts_off(void)
{
    __asm__ volatile("cli" : : : "memory");
}

static inline void interrupts_on(void)
{
    __asm__ volatile("sti" : : : "memory");
}

/* Sleeps until an interrupt, with interrupts on.  The processor takes none between the two
   instructions, so one that is pending wakes the guest instead of passing before it sleeps. */
static inline void sleep(void)
{
    __asm__ volatile("sti; hlt" : : : "memory");
}

struct frame {
    uint64_t rip, cs, rflags, rsp, ss;
};

#define INTERRUPT(name) \
    __attribute__((interrupt)) static void name(__attribute__((unused)) struct frame *frame)

struct gate {
    uint16_t offset_low, selector;
    uint8_t stack, type;
    uint16_t offset_middle;
    uint32_t offset_high, zero;
};

struct __attribute__((packed)) table {
    uint16_t limit;
    const void *base;
};

static const uint64_t segments[] = { 0, 0x00AF9A000000FFFF, 0x00CF92000000FFFF };
static struct gate gates[GATES];
static const struct table segment_table = { sizeof segments - 1, segments };
static const struct table gate_table = { sizeof gates - 1, gates };
static uint8_t stack[STACK_SIZE] __attribute__((aligned(16)));

/* Has `handler` called at interrupt `vector`, with interrupts off. */
static void on_interrupt(int vector, void (*handler)(struct frame *))
{
    uint64_t address = (uint64_t)handler;
    gates[vector] = (struct gate){
        .offset_low = (uint16_t)address, .selector = 8, .type = 0x8E,
        .offset_middle = (uint16_t)(address >> 16), .offset_high = (uint32_t)(address >> 32),
    };
}

void guest(void);

__attribute__((used)) static void boot(void)
{
    __asm__ volatile("lidt %0" : : "m"(gate_table));
    guest();
    for (;;) {
        __asm__ volatile("cli; hlt");
    }
}

__attribute__((naked, used, section(".boot"))) void _start(void)
{
    __asm__ volatile("leaq %c0+%c1, %%rsp\n"
                     "lgdt %c2\n"
                     "pushq $8\n"
                     "leaq 1f(%%rip), %%rax\n"
                     "pushq %%rax\n"
                     "lretq\n"
                     "1: movl $16, %%eax\n"
                     "movl %%eax, %%ss\n"
                     "movl %%eax, %%ds\n"
                     "movl %%eax, %%es\n"
                     "call boot\n"
                     : : "i"(stack), "i"(STACK_SIZE), "i"(&segment_table));
}

/* The compiler may call these. */

void *memcpy(void *to, const void *from, size_t size)
{
    void *end = to;
    __asm__ volatile("rep movsb" : "+D"(end), "+S"(from), "+c"(size) : : "memory");
    return to;
}

void *memset(void *to, int byte, size_t size)
{
    void *end = to;
    __asm__ volatile("rep stosb" : "+D"(end), "+c"(size) : "a"(byte) : "memory");
    return to;
}

/* Console and timer */

static inline void print(const char *line)
{
    while (*line != 0) {
        out(PORT_CONSOLE, (uint8_t)*line++);
    }
}

static volatile uint64_t ticks, trail;

/* The trail is of where the timer struck: an interrupt delivered one instruction off leaves a mark
   in memory that stays. */
INTERRUPT(on_timer)
{
    ticks += 1;
    trail = (trail << 7 | trail >> 57) ^ frame->rip ^ frame->rflags << 32;
}

/* Has `on_timer` count ticks. */
static inline void start_ticks(uint32_t period_us)
{
    on_interrupt(VECTOR_TIMER, on_timer);
    out(PORT_TIMER_PERIOD_US, period_us);
}

/* Time, in nanoseconds: the clock device, and the processor's counter */

static inline uint64_t read_clock(void)
{
    uint64_t low = in(PORT_CLOCK_LOW);
    return (uint64_t)in(PORT_CLOCK_HIGH) << 32 | low;
}

static inline uint64_t read_tsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/* Network card.  The hypervisor puts a packet into its slot, moves `head`, then interrupts. */

struct packet {
    uint32_t length;
    uint8_t data[NIC_SLOT_SIZE - 4];
};

static struct {
    volatile uint32_t head;
    uint8_t spare[RING_HEADER - 4];
    struct packet slots[NIC_SLOTS];
} nic __attribute__((aligned(64)));

static uint32_t nic_done;       /* packets that the guest has finished with */

INTERRUPT(on_packet)
{
}

static inline void start_nic(void)
{
    on_interrupt(VECTOR_NIC, on_packet);
    out(PORT_NIC_RX_RING, (uint32_t)(uintptr_t)&nic);
}

static inline int packet_waits(void)
{
    return nic.head != nic_done;
}

/* The next packet; sleeps while there is none.  It stays until `finish_packet`. */
static inline const struct packet *next_packet(void)
{
    for (;;) {
        interrupts_off();
        if (packet_waits()) {
            interrupts_on();
            return &nic.slots[nic_done % NIC_SLOTS];
        }
        sleep();
    }
}

static inline void finish_packet(void)
{
    nic_done += 1;
    out(PORT_NIC_RX_DONE, nic_done);
}

static inline void send(const void *data, uint32_t length)
{
    out(PORT_NIC_TX_ADDRESS, (uint32_t)(uintptr_t)data);
    out(PORT_NIC_TX_SEND, length);
}

/* Disk.  Operations overlap and end in any order; the hypervisor copies what a read brought to its
   buffer, adds the operation to the ring, then interrupts.  At most DISK_SLOTS are in flight. */

enum { DISK_READ = 1, DISK_WRITE = 2 };

struct completion {
    uint32_t tag, status;
};

static struct {
    volatile uint32_t head;
    uint8_t spare[RING_HEADER - 4];
    struct completion slots[DISK_SLOTS];
} disk __attribute__((aligned(64)));

static uint32_t disk_done;      /* completions that the guest has seen */

INTERRUPT(on_disk)
{
}

static inline void start_disk(void)
{
    on_interrupt(VECTOR_DISK, on_disk);
    out(PORT_DISK_RING, (uint32_t)(uintptr_t)&disk);
}

/* Issues one operation; what is written is copied at this moment. */
static inline void start_operation(uint32_t tag, uint32_t command, uint32_t block, uint32_t count,
                                   volatile void *buffer)
{
    out(PORT_DISK_TAG, tag);
    out(PORT_DISK_BLOCK, block);
    out(PORT_DISK_COUNT, count);
    out(PORT_DISK_ADDRESS, (uint32_t)(uintptr_t)buffer);
    out(PORT_DISK_COMMAND, command);
}

static inline int completion_waits(void)
{
    return disk.head != disk_done;
}

/* The next operation that ended; sleeps while there is none. */
static inline struct completion next_completion(void)
{
    for (;;) {
        interrupts_off();
        if (completion_waits()) {
            interrupts_on();
            return disk.slots[disk_done++ % DISK_SLOTS];
        }
        sleep();
    }
}

/* The frame that every service speaks: a request, answered by the same header, a status, 0 when
   all is well, and a value.  What follows is the service's own. */

struct __attribute__((packed)) request {
    uint64_t number;
    uint32_t client;
    uint32_t op;
    uint8_t payload[];
};

struct __attribute__((packed)) reply {
    uint64_t number;
    uint32_t client;
    uint32_t op;
    uint32_t status;
    int64_t value;
    uint8_t payload[];
};

/* A service has statuses of its own from REFUSED on: the request did not happen. */
enum { OK = 0, UNKNOWN_OP = 1, REFUSED = 2 };

static inline void prepare(const struct request *request, struct reply *reply, uint32_t status,
                           int64_t value)
{
    reply->number = request->number;
    reply->client = request->client;
    reply->op = request->op;
    reply->status = status;
    reply->value = value;
}

/* The answer that is being made.  The next one is made in the same place, as soon as this one was
   sent: what leaves is what was there at that instruction. */
static uint8_t outgoing_frame[NIC_SLOT_SIZE - 4];
static struct reply *const outgoing = (struct reply *)outgoing_frame;

/* Answers a request; `size` bytes of payload are already in place. */
static inline void answer(const struct request *request, uint32_t status, int64_t value,
                          uint32_t size)
{
    prepare(request, outgoing, status, value);
    send(outgoing, (uint32_t)sizeof *outgoing + size);
}

/* Serves requests, of `size` bytes of payload each, one after the other for ever. */
static inline void serve_all(void (*serve)(const struct request *request, uint32_t size))
{
    for (;;) {
        const struct packet *packet = next_packet();
        if (packet->length >= sizeof(struct request)) {
            serve((const struct request *)packet->data,
                  packet->length - (uint32_t)sizeof(struct request));
        }
        finish_packet();
    }
}
