/* A map of KEYS short strings, journaled: op 1 gets, 2 puts, 3 compares and sets, 4 appends.

   A change is in the journal on disk before anything that tells of it is answered.  Several
   requests are under way at once; answers leave in the order of their requests.  The answer's
   value is the number of the latest record it depends on, its payload the key's value.

   The journal is a ring of blocks, one record each: record n (from 1) is in block FIRST_BLOCK +
   n % JOURNAL.  Beside its own change it carries the value that key n % KEYS had then, so that
   any KEYS records in a row hold the whole map, and the ring needs no checkpoint.  Each record
   holds the checksum of the one before it: one that is left over from a tail that was given up
   never continues another.  workloads/kv.py reads the same format. */

#include "runtime.h"

enum { GET = 1, PUT = 2, CAS = 3, APPEND = 4 };
enum { MISMATCH = REFUSED, TOO_LONG };
enum {
    KEYS = 16, VALUE_MAX = 224,
    FIRST_BLOCK = 1, JOURNAL = 32,
    IN_FLIGHT = 8,      /* records issued, the first of which is not written yet */
    WAITING = 16,
    TICK_US = 10000,
};

/* Of the two strings, `expected` is there for a compare-and-set only. */
struct __attribute__((packed)) operation {
    uint8_t key, expected, length;
    uint8_t bytes[];
};

struct value {
    uint8_t length;
    uint8_t bytes[VALUE_MAX];
};

/* The two values follow each other; the checksum is a CRC-32 of all that is behind it, up to their
   end. */
struct __attribute__((packed)) record {
    uint32_t checksum, previous;
    uint64_t number, request;
    uint8_t changed, changed_length, carried, carried_length;
    uint8_t values[BLOCK_SIZE - 28];
};
_Static_assert(sizeof(struct record) == BLOCK_SIZE, "one record a block");
_Static_assert(2 * VALUE_MAX <= sizeof ((struct record *)0)->values, "room for both values");

/* An answer that may leave when record `needs` is on disk. */
struct waiting {
    uint64_t needs;
    uint32_t size;
    uint8_t reply[sizeof(struct reply) + VALUE_MAX];
};

static struct value map[KEYS];
static struct record journal[JOURNAL], leaving;
static uint8_t written[JOURNAL];
static uint64_t issued, durable;
static struct waiting waiting[WAITING];
static uint32_t asked, answered;

static uint32_t crc32(const uint8_t *bytes, size_t size)
{
    static const uint32_t table[] = {
        0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
        0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
        0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
    };
    uint32_t crc = 0xFFFFFFFF;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        crc = table[crc & 15] ^ crc >> 4;
        crc = table[crc & 15] ^ crc >> 4;
    }
    return ~crc;
}

static uint32_t checksum(const struct record *record)
{
    const uint8_t *begin = (const uint8_t *)&record->previous;
    const uint8_t *end = record->values + record->changed_length + record->carried_length;
    return crc32(begin, (size_t)(end - begin));
}

/* The journal */

static void write_record(uint64_t number)
{
    leaving = journal[number % JOURNAL];
    start_operation((uint32_t)number, DISK_WRITE, FIRST_BLOCK + number % JOURNAL, 1, &leaving);
}

/* Journals what `key` holds now. */
static void append_record(uint64_t request, uint8_t key)
{
    uint32_t previous = issued > 0 ? journal[issued % JOURNAL].checksum : 0;
    struct record *record = &journal[++issued % JOURNAL];
    uint8_t carried = issued % KEYS;
    *record = (struct record){
        .previous = previous, .number = issued, .request = request,
        .changed = key, .changed_length = map[key].length,
        .carried = carried, .carried_length = map[carried].length,
    };
    memcpy(record->values, map[key].bytes, map[key].length);
    memcpy(record->values + map[key].length, map[carried].bytes, map[carried].length);
    record->checksum = checksum(record);
    write_record(issued);
}

static void on_written(struct completion done)
{
    if (done.status != 0) {
        write_record(done.tag);
        return;
    }
    written[done.tag % JOURNAL] = 1;
    while (durable < issued && written[(durable + 1) % JOURNAL]) {
        durable += 1;
        written[durable % JOURNAL] = 0;
    }
}

static int is_record(uint64_t number)
{
    const struct record *record = &journal[number % JOURNAL];
    return record->number == number && record->changed_length <= VALUE_MAX
        && record->carried_length <= VALUE_MAX && record->checksum == checksum(record);
}

/* Whether record `number` and those before it hold the whole map. */
static int ends_journal(uint64_t number)
{
    for (int i = 0; i < KEYS && number > 0; i++, number--) {
        uint32_t previous = number > 1 ? journal[(number - 1) % JOURNAL].checksum : 0;
        if (!is_record(number) || journal[number % JOURNAL].previous != previous) {
            return 0;
        }
    }
    return number == 0 || is_record(number);
}

static void set(struct value *value, const uint8_t *bytes, uint8_t length)
{
    memcpy(value->bytes, bytes, length);
    value->length = length;
}

/* Reads the journal and rebuilds the map from its latest unbroken stretch. */
static void recover(void)
{
    do {
        start_operation(0, DISK_READ, FIRST_BLOCK, JOURNAL, journal);
    } while (next_completion().status != 0);
    for (int i = 0; i < JOURNAL; i++) {
        uint64_t number = journal[i].number;
        if (number > durable && number % JOURNAL == (uint64_t)i && ends_journal(number)) {
            durable = number;
        }
    }
    issued = durable;
    for (uint64_t n = durable < KEYS ? 1 : durable - KEYS + 1; n <= durable; n++) {
        const struct record *record = &journal[n % JOURNAL];
        set(&map[record->changed % KEYS], record->values, record->changed_length);
        set(&map[record->carried % KEYS], record->values + record->changed_length,
            record->carried_length);
    }
}

/* Requests */

/* Answers once everything journaled so far is on disk. */
static void answer_later(const struct request *request, uint32_t status, const struct value *value)
{
    struct waiting *place = &waiting[asked++ % WAITING];
    struct reply *reply = (struct reply *)place->reply;
    prepare(request, reply, status, (int64_t)issued);
    place->needs = issued;
    place->size = (uint32_t)sizeof *reply + value->length;
    memcpy(reply->payload, value->bytes, value->length);
}

static void send_answers(void)
{
    while (answered != asked && waiting[answered % WAITING].needs <= durable) {
        const struct waiting *place = &waiting[answered++ % WAITING];
        send(place->reply, place->size);
    }
}

static int equals(const struct value *value, const uint8_t *bytes, uint32_t length)
{
    uint32_t i = 0;
    while (i < length && value->bytes[i] == bytes[i]) {
        i += 1;
    }
    return value->length == length && i == length;
}

static uint32_t change(uint32_t op, struct value *value, const struct operation *operation)
{
    uint32_t kept = op == APPEND ? value->length : 0;
    if (kept + operation->length > VALUE_MAX) {
        return TOO_LONG;
    }
    if (op == CAS && !equals(value, operation->bytes, operation->expected)) {
        return MISMATCH;
    }
    memcpy(value->bytes + kept, operation->bytes + operation->expected, operation->length);
    value->length = (uint8_t)(kept + operation->length);
    return OK;
}

static void serve(const struct request *request, uint32_t size)
{
    static const struct value nothing;
    const struct operation *operation = (const struct operation *)request->payload;
    if (size < sizeof *operation || request->op < GET || request->op > APPEND
        || operation->key >= KEYS
        || size != sizeof *operation + operation->expected + operation->length) {
        answer_later(request, UNKNOWN_OP, &nothing);
        return;
    }
    struct value *value = &map[operation->key];
    uint32_t status = OK;
    if (request->op != GET) {
        status = change(request->op, value, operation);
        if (status == OK) {
            append_record(request->number, operation->key);
        }
    }
    answer_later(request, status, value);
}

static int has_room(void)
{
    return issued - durable < IN_FLIGHT && asked - answered < WAITING;
}

void guest(void)
{
    start_ticks(TICK_US);
    start_disk();
    recover();
    start_nic();
    for (;;) {
        interrupts_off();
        if (!completion_waits() && !(packet_waits() && has_room())) {
            sleep();
            continue;
        }
        interrupts_on();
        if (completion_waits()) {
            on_written(next_completion());
            send_answers();
        } else {
            const struct packet *packet = next_packet();
            if (packet->length >= sizeof(struct request)) {
                serve((const struct request *)packet->data,
                      packet->length - (uint32_t)sizeof(struct request));
            }
            finish_packet();
            send_answers();
        }
    }
}
