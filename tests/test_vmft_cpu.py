"""The processor: exact positions under any slicing, traps, interrupts, snapshots, and replay."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import machine_code as mc
from machine_code import World
from vmft import counting
from vmft.cpu import Breakpoint, Cpu, GuestFault, Snapshot, random_instruction
from vmft.engine import PAGE_SIZE
from vmft.guests.build import Image

END = 600
HANDLER_LENGTH = 8      # instructions
COUNTERS = [False, True] if counting.NATIVE is not None else [False]
both = pytest.mark.parametrize("native", COUNTERS)
often = settings(max_examples=40, deadline=None)
positions = st.lists(st.integers(1, END), max_size=12)


def state(world: World) -> tuple[object, ...]:
    """Everything that two runs are compared by."""
    cpu = world.cpu
    return cpu.position, cpu.halted, cpu.registers(), cpu.digest(), world.record


def run(program: Image, interrupts: list[int], stops: list[int], *, native: bool) -> World:
    """One live run from boot."""
    world = World(program, native)
    world.live(interrupts, stops, END)
    return world


@both
@often
@given(program=mc.programs(), interrupts=positions, stops=positions)
def test_any_slicing_gives_the_same_state(program: Image, interrupts: list[int],
                                          stops: list[int], native: bool) -> None:
    """Where a run is cut changes nothing: registers, memory, record, positions."""
    whole = run(program, interrupts, [], native=native)
    assert state(run(program, interrupts, stops, native=native)) == state(whole)
    assert state(run(program, interrupts, list(range(END)), native=native)) == state(whole)


def ends(program: Image, at: list[int], native: bool) -> tuple[object, list[int], list[int]]:
    """The state at the end, where each `run` to END was stopped by a trap, and the hits."""
    hits: list[int] = []
    stop = Breakpoint(at, lambda: hits.append(world.cpu.position)) if at else None
    world = World(program, native, stop_at_traps=True, breakpoint=stop)
    positions: list[int] = []
    while world.cpu.position < END and not world.cpu.halted:
        world.cpu.run(END)
        positions.append(world.cpu.position)
    return state(world), positions, hits


@both
@often
@given(program=mc.programs(), at=st.sets(st.integers(1, END), min_size=1, max_size=8).map(sorted))
def test_a_breakpoint_ends_no_run(program: Image, at: list[int], native: bool) -> None:
    """Callbacks end it where they did; each place is met once, if execution gets there."""
    plain = ends(program, [], native)
    stopped = ends(program, at, native)
    assert stopped[:2] == plain[:2]
    assert stopped[2] == [place for place in at if plain[1][-1] >= place]


@pytest.mark.skipif(len(COUNTERS) < 2, reason="the native counter was not built")
@often
@given(program=mc.programs(), interrupts=positions, stops=positions)
def test_both_counters_agree(program: Image, interrupts: list[int], stops: list[int]) -> None:
    """The native counter and the one in Python, in one go, in slices, and at every position."""
    slow = run(program, interrupts, stops, native=False)
    assert state(run(program, interrupts, stops, native=True)) == state(slow)
    end = min(slow.cpu.position, 200)
    assert list(mc.steps(World(program, True), end)) == list(mc.steps(World(program, False), end))


def ending(program: Image, stops: list[int], *, native: bool) -> tuple[object, ...]:
    """Where and how a short run of doubtful code ends.

    A machine that faulted is over, and the emulator leaves its flags half made: of it, only the
    place and the reason count.
    """
    world = World(program, native)
    try:
        world.go(40, stops)
    except GuestFault as fault:
        return world.cpu.position, str(fault)
    return (state(world),)


@pytest.mark.skipif(len(COUNTERS) < 2, reason="the native counter was not built")
@pytest.mark.parametrize("examples", [100, pytest.param(20000, marks=pytest.mark.slow)])
def test_both_counters_agree_on_odd_instructions(examples: int) -> None:
    """Whatever the native counter takes for an instruction, Unicorn takes for one."""
    @settings(max_examples=examples, deadline=None)
    @given(st.lists(mc.odd_instructions(), min_size=1, max_size=3), st.lists(st.integers(14, 40)))
    def check(odd: list[bytes], stops: list[int]) -> None:
        program = mc.image(b"\x48\xff\xc0" + b"".join(odd) + mc.HLT)
        expected = ending(program, [], native=False)
        assert ending(program, [], native=True) == expected
        assert ending(program, stops, native=True) == expected

    check()


@both
@often
@given(program=mc.programs(), interrupts=positions)
def test_stopping_at_every_trap_changes_nothing(program: Image, interrupts: list[int],
                                                native: bool) -> None:
    """A callback may stop the run: that instruction has completed, and no other."""
    whole = run(program, interrupts, [], native=native)
    world = World(program, native, stop_at_traps=True)
    world.live(interrupts, [], END)
    assert state(world) == state(whole)


@both
@often
@given(program=mc.programs(), interrupts=positions)
def test_a_record_replays_identically(program: Image, interrupts: list[int],
                                      native: bool) -> None:
    """A1: of random guests: a second processor, fed the record, is equal at every digest."""
    first = run(program, interrupts, [], native=native)
    second = World(program, native, script=first.record)
    second.replay(first.cpu.position)
    assert state(second) == state(first)


@both
@often
@given(program=mc.programs(), interrupts=st.lists(st.integers(20, END), min_size=1, max_size=5),
       which=st.integers(0, 1000), shift=st.sampled_from([-1, 1]))
def test_an_off_by_one_in_a_record_is_caught(program: Image, interrupts: list[int], which: int,
                                             shift: int, native: bool) -> None:
    """Any recorded position, one too small or too large, does not replay."""
    first = run(program, interrupts, [], native=native)
    assume(first.record)
    script = list(first.record)
    entry = script[which % len(script)]
    script[which % len(script)] = entry._replace(at=entry.at + shift)
    with pytest.raises(mc.Mismatch):
        World(program, native, script=script).replay(first.cpu.position)


@both
@often
@given(program=mc.programs(), interrupts=positions, cut=st.integers(0, END))
def test_a_snapshot_goes_on_identically(program: Image, interrupts: list[int], cut: int,
                                        native: bool) -> None:
    """Restored in place, or in a fresh processor with the other counter."""
    world = World(program, native)
    world.live([], [], cut)
    snapshot, record = world.cpu.snapshot(), list(world.record)
    world.live(interrupts, [], END)
    other = World(program, not native if len(COUNTERS) > 1 else native)
    for again in (world, other):
        expected = state(world)
        again.cpu.restore(snapshot)
        again.record = list(record)
        again.live([at for at in interrupts if at >= snapshot.position], [], END)
        assert state(again) == expected


LOOP = mc.image(b"\x48\xff\xc0" * 50 + mc.jump(mc.BODY + 150, mc.BODY))     # 50 times inc rax


@both
def test_code_that_ran_uncounted_is_counted(native: bool) -> None:
    """Trap 1: once translated without a counter, code used to run past every target."""
    world = World(LOOP, native)
    world.cpu.run(1000)
    before = world.cpu.registers()["rax"]
    world.cpu.run(1003)
    assert world.cpu.position == 1003
    assert world.cpu.registers()["rax"] - before in (2, 3)


@both
def test_a_target_inside_a_translated_block_is_met(native: bool) -> None:
    """Trap 2: the same, for every target inside one block that is warm."""
    world = World(LOOP, native)
    for position in range(20, 400):
        world.cpu.run(position)
        assert world.cpu.position == position


@both
def test_a_store_is_done_once_when_the_run_stops_at_it(native: bool) -> None:
    """Trap 3: stops around stores and string output repeat nothing."""
    body = bytes.fromhex("57 b9 05 00 00 00 48 89 fe 66 ba 30 00 f3 6e 5f 48 ff 47 40")
    whole = run(mc.image(body + b"\xfa" + mc.HLT), [], [], native=native)
    sliced = run(mc.image(body + b"\xfa" + mc.HLT), [], list(range(100)), native=native)
    assert [entry.kind for entry in whole.record] == ["out 0x30"] * 5
    assert state(sliced) == state(whole)
    assert whole.cpu.read(mc.DATA + 0x40, 1) == b"\1"


@both
def test_a_device_may_write_over_code_that_ran(native: bool) -> None:
    """Trap 4: a warm processor and a fresh one execute the same bytes after the same write."""
    body = bytes.fromhex("48 83 c3 01") + mc.STI_HLT
    program = mc.image(mc.looped(body, 4) + b"\xfa" + mc.HLT)
    warm = World(program, native)
    warm.cpu.run(END)
    warm.interrupt()
    warm.cpu.run(END)
    fresh = World(program, native)
    fresh.cpu.restore(warm.cpu.snapshot())
    for world in (warm, fresh):
        world.cpu.write(mc.BODY + 6 + 3, b"\x40")
        while world.alive():
            world.cpu.run(END)
    assert warm.cpu.registers()["rbx"] == 2 + 2 * 0x40
    assert fresh.cpu.digest() == warm.cpu.digest()


@both
def test_the_first_store_to_a_page_is_seen(native: bool) -> None:
    """Trap 5: changed pages are found by comparing, which loses no store."""
    world = World(mc.image(bytes.fromhex("c6 87 00 20 00 00 07") + b"\xfa" + mc.HLT), native)
    world.cpu.run(10)
    before = world.cpu.page_digests()
    world.cpu.run(END)
    assert world.cpu.read(mc.DATA + 0x2000, 1) == b"\7"
    after = world.cpu.page_digests()
    changed = [page for page, pair in enumerate(zip(before, after)) if pair[0] != pair[1]]
    assert changed == [(mc.DATA + 0x2000) // PAGE_SIZE]


@both
@pytest.mark.parametrize("skip", [0, 1, 2])
def test_code_that_changes_its_own_block_is_counted_once(skip: int, native: bool) -> None:
    """The emulator executes such a store twice over; slicing used to hang at it for ever."""
    body = mc.patch(skip, 7)
    world = World(mc.image(body + b"\xfa" + mc.HLT), native)
    world.cpu.run(END)
    boot = World(mc.image(b"\xfa" + mc.HLT), native)
    boot.cpu.run(END)
    assert world.cpu.position == boot.cpu.position + 2 + skip
    assert world.cpu.registers()["r10"] == 7


FLAGS_OF = {
    "rdtsc": "48 05 3f 30 00 00 0f 31",             # add rax, 0x303f; rdtsc
    "rep insd": "66 ba 20 00 b9 01 00 00 00 48 05 3f 30 00 00 f3 6d",
    "own block": "48 05 3f 30 00 00 c6 05 00 00 00 00 9c",      # a store into what follows
}


@both
@pytest.mark.parametrize("code", FLAGS_OF.values(), ids=FLAGS_OF)
def test_flags_survive_a_callback_and_a_second_attempt(code: str, native: bool) -> None:
    """Unicorn loses the flags of the instruction before, where instructions are hooked singly."""
    # mov eax, 15; ...; pushf; pop r8
    program = mc.image(bytes.fromhex(f"b8 0f 00 00 00 {code} 9c 41 58 fa f4"))
    seen = set()
    for stops in (range(0), range(40), *(range(stop, stop + 1) for stop in range(13, 20))):
        world = World(program, native)
        world.go(END, stops)
        seen.add(world.cpu.registers()["r8"] & 0xFF)
    assert seen == {0x16}       # AF and PF: 15 and 15 carry out of the low half, 0x1e


class Unready(Exception):
    """No answer yet."""


@both
@often
@given(program=mc.programs(), interrupts=positions)
def test_an_error_in_a_callback_leaves_the_instruction_undone(
        program: Image, interrupts: list[int], native: bool) -> None:
    """Every trap fails once and is tried again: a backup waits so for its entry."""
    whole = run(program, interrupts, [], native=native)
    world = World(program, native)
    tried: set[int] = set()
    note = world.note

    def fail_first(kind: str, value: int) -> int:
        if world.cpu.position not in tried:
            tried.add(world.cpu.position)
            raise Unready
        return note(kind, value)

    world.note = fail_first     # type: ignore[method-assign]
    resumed = world.cpu.run

    def run_again(until: int) -> None:
        while True:
            try:
                return resumed(until)
            except Unready:
                assert world.cpu.position in tried

    world.cpu.run = run_again   # type: ignore[method-assign]
    world.live(interrupts, [], END)
    assert state(world) == state(whole)


FAULTS = [
    ("48 8b 04 25 00 00 00 70", "reads memory", 0),
    ("48 89 04 25 00 00 00 70", "writes memory", 0),
    ("48 a1 00 00 00 00 00 00 00 00", "reads memory", 0),     # page 0 is nowhere
    ("ff e0", "jumps to memory", 1),                            # rax is 0x10
    ("b8 00 00 00 70 ff e0", "jumps to memory", 2),
    ("0f 0b", "does not have", 0),
    ("31 c9 48 f7 f1", "exception", 1),
    ("31 c0 ff e0", "jumps to memory", 2),
    ("bb f8 ff 03 00 f3 0f 11 43 06", "writes memory", 1),      # half of it is there
    ("bb 00 00 00 70 0f ae 03", "writes memory", 1),            # fxsave
    ("bb 00 ff 03 00 0f ae 03 e5 20", "writes memory", 1),      # its second half; in
    ("bb 00 00 00 70 dd 33", "writes memory", 1),               # fnsave
    ("bb 00 00 00 70 d9 33 eb 00", "writes memory", 1),         # fnstenv; jmp
    ("bb 00 00 00 70 db 3b", "writes memory", 1),               # fstp tword
    ("bb 00 00 00 70 df 33 ff c3", "writes memory", 1),         # fbstp; inc ebx
    ("bf 00 00 00 70 66 0f 76 d2 66 0f f7 d2", "writes memory", 2),     # maskmovdqu
    ("bc 00 00 00 70 c7 07 00 20 00 00 c7 47 04 08 00 00 00 ff 1f", "writes memory", 3),    # lcall
    ("bb 00 00 00 70 0f ae 0b", "reads memory", 1),             # fxrstor
    ("bb 00 00 00 70 48 0f c7 0b", "reads memory", 1),          # cmpxchg16b
]


@both
@pytest.mark.parametrize("code, what, retired", FAULTS)
def test_a_fault_says_where_and_what(code: str, what: str, retired: int, native: bool) -> None:
    """At the exact instruction, in the middle of a block too, however the run is sliced.

    Unicorn lets an instruction that stores through a helper finish, and the rest of its block too.
    """
    boot = World(mc.image(mc.HLT), native)
    boot.cpu.run(END)
    rips = set()
    for stops in (range(0), range(END)):
        world = World(mc.image(b"\x90\x90" + bytes.fromhex(code) + b"\x90\xf4"), native)
        with pytest.raises(GuestFault, match=what) as caught:
            world.go(END, stops)
        assert caught.value.position == boot.cpu.position - 1 + 2 + retired
        assert world.cpu.position == caught.value.position
        rips |= {caught.value.rip, world.cpu.pc}
    assert len(rips) == 1


@both
def test_an_interrupt_does_not_slip_between_sti_and_hlt(native: bool) -> None:
    """There a wake-up would be lost: the handler has run, and the guest sleeps."""
    world = World(mc.image(b"\xfa" + mc.STI_HLT), native)
    allowed = []
    while not world.cpu.halted:
        allowed.append(world.cpu.interruptible)
        world.cpu.run(world.cpu.position + 1)
    assert allowed[-3:] == [True, False, False]     # before cli, before sti, before hlt
    assert world.cpu.interruptible


@both
def test_an_interrupt_returns_to_where_it_struck(native: bool) -> None:
    """The frame aligns the stack, clears the interrupt flag, and `iretq` undoes it all."""
    world = World(LOOP, native)
    world.cpu.run(100)
    before = world.cpu.registers()
    world.interrupt()
    inside = world.cpu.registers()
    assert inside["rip"] == mc.HANDLER and not world.cpu.interruptible
    assert inside["rsp"] == (before["rsp"] & ~15) - 40
    world.cpu.run(100 + HANDLER_LENGTH)
    assert world.cpu.registers() == before


@both
def test_no_interrupt_is_delivered_while_they_are_off(native: bool) -> None:
    """Not even to a processor that halted for good."""
    world = World(mc.image(b"\xfa" + mc.HLT), native)
    world.cpu.run(END)
    assert world.cpu.halted and not world.cpu.interruptible
    with pytest.raises(AssertionError, match="interrupts are disabled"):
        world.cpu.interrupt(mc.VECTOR)


@both
def test_a_bad_gate_is_a_fault(native: bool) -> None:
    """An interrupt for which the guest has no gate stops it in clear words."""
    world = World(LOOP, native)
    world.cpu.run(100)
    for vector in (VECTOR_WITHOUT_GATE, 0xFF):
        with pytest.raises(GuestFault, match=f"gate for interrupt {vector:#x}, at instruction 100"):
            world.cpu.interrupt(vector)


VECTOR_WITHOUT_GATE = 0x20


def test_memory_outside_is_a_fault() -> None:
    """A device that the guest points outside its memory."""
    world = World(LOOP)
    for address, size in ((0, 4), (1 << 40, 1), ((1 << 18) - 1, 2), (-1, 1)):
        with pytest.raises(GuestFault, match="names memory that is not there"):
            world.cpu.read(address, size)
        with pytest.raises(GuestFault, match="names memory that is not there"):
            world.cpu.write(address, bytes(size))


@both
def test_a_run_ends_where_it_should(native: bool) -> None:
    """Nothing runs backwards; a halted processor stays where it is until it is interrupted."""
    world = World(mc.image(mc.HLT + b"\xfa" + mc.HLT), native)
    world.cpu.run(END)
    position = world.cpu.position
    assert world.cpu.halted
    world.cpu.run(END)
    assert world.cpu.position == position
    with pytest.raises(ValueError, match="cannot run back"):
        world.cpu.run(position - 1)
    world.interrupt()
    assert not world.cpu.halted
    world.cpu.run(END)
    assert world.cpu.halted and world.cpu.position == position + HANDLER_LENGTH + 2


def test_a_halt_at_the_target_is_a_halt() -> None:
    """The last instruction that was asked for is the one that halts."""
    for native in COUNTERS:
        world = World(mc.image(mc.HLT), native)
        world.cpu.run(END)
        again = World(mc.image(mc.HLT), native)
        again.cpu.run(world.cpu.position)
        assert again.cpu.halted


def test_a_snapshot_of_another_size_is_refused() -> None:
    """Neither memory nor processor state of another shape is taken."""
    cpu = World(LOOP).cpu
    snapshot = cpu.snapshot()
    with pytest.raises(ValueError, match="memory of"):
        cpu.restore(replace(snapshot, ram=b""))
    with pytest.raises(ValueError, match="processor state of"):
        cpu.restore(Snapshot(0, False, snapshot.ram, snapshot.context + b"x"))


def test_the_digest_sees_every_part() -> None:
    """General registers, vector registers, memory, and whether it is halted."""
    cpu = World(LOOP).cpu
    cpu.run(50)
    digests = {cpu.digest()}
    snapshot = cpu.snapshot()
    for change in ("rbx", "xmm7", "mxcsr", "fpcw", "fs_base"):
        cpu.restore(snapshot)
        cpu._set(change, 0x1234)
        digests.add(cpu.digest())
    cpu.restore(replace(snapshot, halted=True))
    digests.add(cpu.digest())
    cpu.restore(snapshot)
    cpu.write(0x30000, b"x")
    digests.add(cpu.digest())
    assert len(digests) == 8


@pytest.mark.parametrize("code, expected", [
    ("48 0f c7 f2", ("rdrand", "rdx", 4)),
    ("0f c7 f8", ("rdseed", "eax", 3)),
    ("66 41 0f c7 f1", ("rdrand", "r9w", 5)),
    ("49 0f c7 ff", ("rdseed", "r15", 4)),
    ("f3 0f c7 f8", None),              # rdpid
    ("0f c7 0f", None),                 # cmpxchg8b
    ("0f 0b", None), ("0f c7", None), ("66", None), ("", None),
])
def test_random_instructions_are_told_apart(code: str,
                                            expected: tuple[str, str, int] | None) -> None:
    """Prefixes, operand sizes, and what only looks alike."""
    assert random_instruction(bytes.fromhex(code)) == expected


@both
def test_many_processors_fit(native: bool) -> None:
    """Dozens at once; each has its own memory and position."""
    cpus: list[Cpu] = [World(LOOP, native).cpu for _ in range(40)]
    for number, cpu in enumerate(cpus):
        cpu.run(100 + number)
    assert [cpu.position for cpu in cpus] == list(range(100, 140))
