// The native instruction counter: whole blocks where that is exact, single instructions elsewhere.
//
// Unicorn calls `on_block` before each translated block and `on_code` before each instruction in
// the ranges that are watched.  A block is counted when the next one begins: then it is known
// whether it was finished.  Not so, and therefore watched:
//   - blocks that may call back or repeat an instruction (in, out, rdtsc, rdrand, string stores),
//     for ever;
//   - the block in which the target lies, for once.
// A block that overwrites itself is abandoned by Unicorn before the store; the store is executed
// again as a block of one instruction, which is how `unfinished` and `on_code` recognize it.
//
// Instruction lengths: Intel SDM volume 2, appendix A, as far as Unicorn's Sandy Bridge goes; what
// does not fit its block exactly is watched.

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

namespace {

using u8 = std::uint8_t;
using u64 = std::uint64_t;

constexpr int MAX_LENGTH = 15;
constexpr u64 NOWHERE = ~0ull;

// Operands by opcode.  .: none, m: ModRM, b w z v: immediate of 1, 2, 4 (2), 4 (2, 8) bytes,
// e: 3 bytes, B Z: ModRM and immediate, r R: the same, registers only, g: group 3, o: offset,
// d: displacement, x: not known.
constexpr char ONE[] =
    "mmmmbzxxmmmmbzxx" "mmmmbzxxmmmmbzxx" "mmmmbzxxmmmmbzxx" "mmmmbzxxmmmmbzxx"
    "xxxxxxxxxxxxxxxx" "................" "xxxmxxxxzZbB...." "bbbbbbbbbbbbbbbb"
    "BZxBmmmmmmmmmmmm" "..........x....." "oooo....bz......" "bbbbbbbbvvvvvvvv"
    "BBw.xxBZe.w..bx." "mmmmxxx.mmmmmmmm" "bbbbbbbbddxb...." "x.xx..gg......mm";
constexpr char TWO[] =      // after 0F
    "mmmmxx.x..x.xm.x" "mmmmmmmmmmmmmmmm" "xxxxxxxxmmmmmmmm" "....xxxxxxxxxxxx"
    "mmmmmmmmmmmmmmmm" "rmmmmmmmmmmmmmmm" "mmmmmmmmmmmmmmmm" "BRRRmmm.xxxxmmmm"
    "dddddddddddddddd" "mmmmmmmmmmmmmmmm" "...mBmxx...mBmmm" "mmmmmmmmmxBmmmmm"
    "mmBmBRBm........" "mmmmmmmrmmmmmmmm" "mmmmmmmmmmmmmmmm" "mmmmmmmrmmmmmmmx";

struct Instruction {
    int length = 0;         // 0: not known
    bool traps = false;     // may call back, or store again and again
    bool jumps = false;     // may be followed by itself, not being a string instruction
    bool is_string = false;
};

bool among(const char *set, u8 opcode)
{
    return std::strchr(set, opcode) != nullptr && opcode != 0;
}

// The length of ModRM, SIB and displacement at `code`.
int operand_length(const u8 *code)
{
    const int mode = code[0] >> 6, base = code[0] & 7;
    if (mode == 3) {
        return 1;
    }
    const int sib = base == 4;
    const bool wide = mode == 2 || (mode == 0 && (sib ? code[1] & 7 : base) == 5);
    return 1 + sib + (wide ? 4 : mode == 1);
}

// The instruction at `code`, of which 2 * MAX_LENGTH bytes can be read.
Instruction decode(const u8 *code)
{
    Instruction found;
    const u8 *at = code;
    bool narrow = false, short_address = false, wide = false;
    while (at < code + MAX_LENGTH && among("\x66\x67\xf0\xf2\xf3\x2e\x36\x3e\x26\x64\x65", *at)) {
        narrow |= *at == 0x66;
        short_address |= *at == 0x67;
        ++at;
    }
    if ((*at & 0xF0) == 0x40) {
        wide = *at++ & 8;
    }
    u8 opcode = *at++;
    char kind = ONE[opcode];
    if (opcode == 0x0F) {
        opcode = *at++;
        kind = opcode == 0x38 ? 'm' : opcode == 0x3A ? 'B' : opcode == 0xD6 && !narrow ? 'r'
            : TWO[opcode];
        at += opcode == 0x38 || opcode == 0x3A;
        found.traps = opcode == 0x31 || (opcode == 0x01 && *at == 0xF9)
            || (opcode == 0xC7 && *at >= 0xF0);
        found.jumps = (opcode & 0xF0) == 0x80;
    } else {
        found.is_string = among("\x6c\x6d\x6e\x6f\xa4\xa5\xa6\xa7\xaa\xab\xac\xad\xae\xaf", opcode);
        found.traps = among("\x6c\x6d\x6e\x6f\xa4\xa5\xaa\xab\xe4\xe5\xe6\xe7\xec\xed\xee\xef",
                            opcode);
        found.jumps = (opcode & 0xF0) == 0x70 || (opcode == 0xFF && ((*at >> 3) + 6) % 8 < 4)
            || among("\xc2\xc3\xca\xcb\xcf\xe0\xe1\xe2\xe3\xe8\xe9\xeb", opcode);
    }
    if ((kind == 'r' || kind == 'R') && *at < 0xC0) {
        return found;
    }
    const int immediate = narrow && !wide ? 2 : 4;
    switch (kind) {
    case '.': break;
    case 'm': case 'r': at += operand_length(at); break;
    case 'b': at += 1; break;
    case 'w': at += 2; break;
    case 'e': at += 3; break;
    case 'z': at += immediate; break;
    case 'v': at += wide ? 8 : immediate; break;
    case 'B': case 'R': at += operand_length(at) + 1; break;
    case 'Z': at += operand_length(at) + immediate; break;
    case 'g': at += operand_length(at) + (*at & 0x30 ? 0 : opcode == 0xF6 ? 1 : immediate); break;
    case 'o': at += short_address ? 4 : 8; break;
    case 'd': if (!narrow) { at += 4; break; } [[fallthrough]];
    default: return found;
    }
    found.length = at - code <= MAX_LENGTH ? static_cast<int>(at - code) : 0;
    return found;
}

enum class Counted : u8 { whole, singly, not_yet };     // not_yet: singly, once it is watched

struct Block {
    u64 address = NOWHERE;
    u64 size = 0;
    u64 count = 0;
    Counted counted = Counted::not_yet;
    bool may_repeat_last = false;
    std::vector<u8> code, lengths;
};

struct Range {
    u64 begin, end;
};

enum Asked : u64 { NOTHING, WATCH_FOR_EVER, WATCH_ONCE };

// What Python sees; the same layout as vmft.counting.Count.
struct Count {
    u64 retired = 0;        // without those in `pending`
    u64 pending = 0;        // instructions of the whole block that is being executed
    u64 target = 0;
    u64 reached = 0;        // whether the target ended the run
    u64 asked = NOTHING;    // or the wish to have [begin, end) watched
    u64 begin = 0, end = 0;
    u64 last = NOWHERE;     // the instruction counted last, of those that are watched
    u64 flags = 0;          // before it
};

using Stop = int (*)(void *engine);
using Access = int (*)(void *engine, int number, void *value);

struct Counter : Count {
    const u8 *ram = nullptr;
    u64 ram_size = 0;
    Stop stop = nullptr;
    Access read = nullptr, write = nullptr;
    int flags_number = 0, rcx_number = 0;
    u64 rcx = 0;            // before `last`
    Block *current = nullptr;
    std::vector<Range> watched;
    std::array<Block, 1024> blocks;

    Block &find(u64 address, u64 size);
    void learn(Block &block, u64 address, u64 size) const;
    u64 completed(const Block &block, u64 address) const;
    bool unfinished(u64 address, u64 size) const;
    bool again(void *engine, u64 address) const;
};

// The facts about a block, looked up by its place and checked against its bytes.
Block &Counter::find(u64 address, u64 size)
{
    Block &block = blocks[(address ^ address >> 10) % blocks.size()];
    if (block.address != address || block.size != size
        || std::memcmp(block.code.data(), ram + address, size) != 0) {
        learn(block, address, size);
    }
    return block;
}

void Counter::learn(Block &block, u64 address, u64 size) const
{
    block.address = address;
    block.size = size;
    block.code.assign(ram + address, ram + address + size);
    block.code.resize(size + 2 * MAX_LENGTH);
    block.lengths.clear();
    bool whole = true;
    for (u64 at = 0; whole && at < size; at += block.lengths.back()) {
        const Instruction each = decode(block.code.data() + at);
        whole = each.length != 0 && !each.traps && at + each.length <= size;
        block.lengths.push_back(static_cast<u8>(each.length));
        block.may_repeat_last = each.jumps || each.is_string;
    }
    block.count = block.lengths.size();
    bool covered = false;
    for (const Range &range : watched) {
        whole &= address + size <= range.begin || range.end <= address;
        covered |= range.begin <= address && address + size <= range.end;
    }
    block.counted = whole ? Counted::whole : covered ? Counted::singly : Counted::not_yet;
}

// How many of a whole block's instructions lie before an address; all, if it is not inside.
u64 Counter::completed(const Block &block, u64 address) const
{
    u64 at = block.address, index = 0;
    while (index < block.count && at != address) {
        at += block.lengths[index++];
    }
    return index;
}

// Whether the current block was abandoned at the block that begins now: that is one instruction
// of it, but not by way of a jump or a repetition at its end.
bool Counter::unfinished(u64 address, u64 size) const
{
    if (address - current->address >= current->size || size > MAX_LENGTH) {
        return false;
    }
    const u64 index = completed(*current, address);
    return index < current->count && current->lengths[index] == size
        && (index + 1 < current->count || !current->may_repeat_last);
}

// Whether an instruction that follows itself is executed a second time rather than repeated.
bool Counter::again(void *engine, u64 address) const
{
    u8 code[2 * MAX_LENGTH] = {};
    std::memcpy(code, ram + address, std::min<u64>(MAX_LENGTH, ram_size - address));
    const Instruction found = decode(code);
    u64 now = 0;
    return !found.jumps && (!found.is_string || (read(engine, rcx_number, &now), now == rcx));
}

extern "C" void on_block(void *engine, u64 address, std::uint32_t size, void *user_data)
{
    auto &counter = *static_cast<Counter *>(user_data);
    if (counter.pending != 0) {
        counter.retired += counter.unfinished(address, size)
            ? counter.completed(*counter.current, address) : counter.pending;
        counter.pending = 0;
    }
    Block &block = counter.find(address, size);
    if (block.counted == Counted::singly) {
        return;
    }
    if (block.counted == Counted::whole && counter.retired + block.count <= counter.target
        && counter.retired != counter.target) {
        counter.current = &block;
        counter.pending = block.count;
        counter.last = NOWHERE;
        return;
    }
    counter.reached = counter.retired == counter.target;
    counter.asked = counter.reached ? NOTHING
        : block.counted == Counted::whole ? WATCH_ONCE : WATCH_FOR_EVER;
    counter.begin = address;
    counter.end = address + size;
    counter.stop(engine);
}

extern "C" void on_code(void *engine, u64 address, std::uint32_t, void *user_data)
{
    auto &counter = *static_cast<Counter *>(user_data);
    if (address == counter.last && counter.again(engine, address)) {
        counter.write(engine, counter.flags_number, &counter.flags);
        return;
    }
    if (counter.retired == counter.target) {
        counter.reached = 1;
        counter.stop(engine);
        return;
    }
    ++counter.retired;
    counter.last = address;
    counter.read(engine, counter.flags_number, &counter.flags);
    counter.read(engine, counter.rcx_number, &counter.rcx);
}

Counter *counter_at(unsigned long long address)
{
    return reinterpret_cast<Counter *>(address);
}

PyObject *create(PyObject *, PyObject *arguments)
{
    unsigned long long ram, ram_size, stop, read, write;
    int flags_number, rcx_number;
    if (!PyArg_ParseTuple(arguments, "KKKKKii", &ram, &ram_size, &stop, &read, &write,
                          &flags_number, &rcx_number)) {
        return nullptr;
    }
    auto *counter = new Counter;
    counter->ram = reinterpret_cast<const u8 *>(ram);
    counter->ram_size = ram_size;
    counter->stop = reinterpret_cast<Stop>(stop);
    counter->read = reinterpret_cast<Access>(read);
    counter->write = reinterpret_cast<Access>(write);
    counter->flags_number = flags_number;
    counter->rcx_number = rcx_number;
    return PyLong_FromVoidPtr(static_cast<Count *>(counter));
}

PyObject *destroy(PyObject *, PyObject *argument)
{
    delete counter_at(PyLong_AsUnsignedLongLong(argument));
    Py_RETURN_NONE;
}

// watch(counter, [(begin, end), ...]): these ranges are counted singly from now on, no others.
PyObject *watch(PyObject *, PyObject *arguments)
{
    unsigned long long address;
    PyObject *ranges;
    if (!PyArg_ParseTuple(arguments, "KO!", &address, &PyList_Type, &ranges)) {
        return nullptr;
    }
    Counter &counter = *counter_at(address);
    counter.watched.clear();
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(ranges); ++i) {
        unsigned long long begin, end;
        if (!PyArg_ParseTuple(PyList_GET_ITEM(ranges, i), "KK", &begin, &end)) {
            return nullptr;
        }
        counter.watched.push_back({begin, end});
    }
    for (Block &block : counter.blocks) {
        block.address = NOWHERE;
    }
    Py_RETURN_NONE;
}

// settle(counter, rip): count the block in which a run ended, or is: all of it, or, if rip is
// inside, up to the instruction there and with it, as if it had been counted singly.
PyObject *settle(PyObject *, PyObject *arguments)
{
    unsigned long long address, rip;
    if (!PyArg_ParseTuple(arguments, "KK", &address, &rip)) {
        return nullptr;
    }
    Counter &counter = *counter_at(address);
    if (counter.pending != 0) {
        const u64 before = counter.completed(*counter.current, rip);
        counter.retired += before + (before < counter.pending);
        counter.pending = 0;
    }
    Py_RETURN_NONE;
}

PyMethodDef methods[] = {
    {"create", create, METH_VARARGS, "A new counter's address."},
    {"destroy", destroy, METH_O, "Free a counter."},
    {"watch", watch, METH_VARARGS, "Count these ranges singly, and no others."},
    {"settle", settle, METH_VARARGS, "Count the block that is under way."},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "vmft._counter",
    "The native instruction counter; on_block and on_code are addresses of Unicorn hooks.",
    -1, methods, nullptr, nullptr, nullptr, nullptr,
};

using Hook = void (*)(void *engine, u64 address, std::uint32_t size, void *user_data);

bool add_address(PyObject *module, const char *name, Hook hook)
{
    PyObject *address = PyLong_FromVoidPtr(reinterpret_cast<void *>(hook));
    if (address == nullptr || PyModule_AddObject(module, name, address) < 0) {
        Py_XDECREF(address);
        return false;
    }
    return true;
}

}  // namespace

PyMODINIT_FUNC PyInit__counter()
{
    PyObject *module = PyModule_Create(&definition);
    if (module != nullptr && add_address(module, "on_block", on_block)
        && add_address(module, "on_code", on_code)) {
        return module;
    }
    Py_XDECREF(module);
    return nullptr;
}
