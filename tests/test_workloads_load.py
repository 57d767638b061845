"""Work for measuring: what a right answer says."""

from __future__ import annotations

from bare import Bare, call
from hypothesis import given
from hypothesis import strategies as st

from checker.check import Recorded
from histories import History, Op, Trace
from vmft import entry as log
from vmft.ports import VECTORS
from workloads import load


@given(st.integers(0, 300))
def test_strides_are_steps(steps: int) -> None:
    """Computed at once, as the guest does it one by one."""
    state = 1
    for _ in range(steps):
        state = (state * load.MULTIPLIER + load.INCREMENT) % load.WORD
    assert load.computed(steps) % load.WORD == state


def test_as_much_is_done_as_asked() -> None:
    """So many packets of that size, so many operations of so many blocks, no more than eight at a
    time; operations that fail are tried again."""
    system = Bare("load", 1, failing=100)
    call(system, load.encode("transmit", [7, 900]))
    assert [len(output.data) for output in system.tape.outputs][:7] == [900] * 7
    before = len(system.tape.outputs)
    call(system, load.encode("write", [50, 3]))
    writes = [output.operation for output in system.tape.outputs[before:-1]]
    assert len(writes) > 50 and {each.blocks for each in writes if each is not None} == {3}
    assert not system.machine.devices.disk.pending
    assert len({each.block for each in writes if each is not None}) == 8
    call(system, load.encode("read", [20, 1]))
    assert system.machine.devices.disk.issued >= 50 + 20


def test_the_timer_ticks_as_told() -> None:
    """A hundred times in a tenth of a second, once the period that has begun is over."""
    system = Bare("load", 1)
    call(system, load.encode("tick", 1000))
    before, now_ns = system.machine.position, system.now_ns
    while system.now_ns < now_ns + 100_000_000:
        system.advance(now_ns + 100_000_000)
    ticks = sum(entry.kind == log.INTERRUPT and entry.data[-1] == VECTORS["TIMER"]
                for entry in system.tape.entries)
    assert ticks >= 89 and system.machine.position > before


def test_a_wrong_answer_is_convicted() -> None:
    """One that says another amount."""
    for done, valid in ((load.computed(5), True), (load.computed(6), False)):
        history = History([Op(0, "invoke", "compute", 5), Op(0, "ok", "compute", [5, done])])
        assert load.done_as_asked(Recorded({}, history, Trace())).valid is valid
