"""Faults that wait for a moment of the protocol, and strike in it."""

from __future__ import annotations

from typing import Callable

import pytest
from checker.check import Recorded
from scenario import Pair

from harness.plan import Plan, PlannedFault
from harness.run import rehearse
from harness.test import Test as Run
from histories import NEMESIS, Event

MS = 1_000_000


def count(pair: Pair, kind: str, node: str = "n1") -> int:
    """How many events of a kind a node has told."""
    return len(pair.events(kind, node))


@pytest.mark.parametrize("moment, kind, nth", [
    ("output", "output", 3), ("entry", "log", 1), ("entry", "log", 17), ("release", "release", 2)])
def test_a_crash_at_the_nth_is_behind_the_nth(moment: str, kind: str, nth: int) -> None:
    """The host does nothing more: not one event of its own is later."""
    pair = Pair()
    pair.run(50)
    before = count(pair, kind)
    pair.sim.at_moment(moment, nth, 0, pair.sim.crash)
    for _ in range(10):
        pair.inc()
        pair.run(5)
    pair.run(2000)
    [crash] = pair.events("crash")
    assert crash.node == "n1" and count(pair, kind) == before + nth
    told = [event for event in pair.trace if event.node == "n1" and event.time > crash.time]
    assert told == [] and pair.role("n2") == "alone" and pair.broken() == []


@pytest.mark.parametrize("instructions", [1, 2, 7, 1000, 12_345])
def test_a_machine_stands_at_that_very_instruction(instructions: int) -> None:
    """Not one earlier or later."""
    pair = Pair()
    pair.run(50)
    start = pair.position("n1")
    reached: list[int] = []

    def strike(host: str) -> None:
        reached.append(pair.position(host))
        pair.crash(host)

    pair.sim.at_moment("instruction", instructions, 0, strike)
    for _ in range(400):
        pair.inc()
        pair.run(1)
    assert reached == [start + instructions]
    pair.run(2000)
    assert pair.role("n2") == "alone" and pair.broken() == []


def test_between_suspicion_and_the_test_and_set() -> None:
    """A host that is paused there asks later, and wins: nobody else was left to ask."""
    pair = Pair()
    pair.run(50)
    pair.sim.at_moment("suspicion", 1, 0, pair.sim.pause)
    pair.crash("n1")
    pair.run(3000)
    assert pair.role("n2") == "contending" and pair.sim.standing() == ["n2"]
    pair.sim.resume("n2")
    pair.run(500)
    assert pair.role("n2") == "alone" and pair.broken() == []


def test_between_winning_and_the_first_output() -> None:
    """A winner that dies before it knows leaves nobody with the right to go live."""
    pair = Pair()
    pair.run(50)
    pair.sim.at_moment("victory", 1, 0, pair.sim.crash)
    pair.cut("n1--n2")
    pair.run(3000)
    [crash] = pair.events("crash")
    other = "n1" if crash.node == "n2" else "n2"
    assert pair.events("live") == [] and pair.events("halt", other)
    [decided] = [each for each in pair.events("test-and-set") if each.data["winner"] == crash.node
                 and each.data["asked"] == crash.node]
    assert decided.time == crash.time


def test_inside_a_clone() -> None:
    """The source stands still in the middle of its copy; the clone goes on, or begins anew."""
    pair = Pair(hosts=3)
    pair.run(50)
    pair.crash("n1")
    pair.sim.at_moment("clone", 1, 100_000, pair.sim.pause)
    pair.run(2000)
    assert pair.sim.standing() == ["n2"] and pair.role("n3") == "spare"
    pair.sim.resume("n2")
    pair.run(4000)
    assert (pair.role("n2"), pair.role("n3")) == ("primary", "backup") and pair.broken() == []


def test_what_is_disarmed_does_not_strike() -> None:
    """Neither what waits nor what is on its way."""
    pair = Pair()
    pair.run(50)
    pair.sim.at_moment("output", 1, 10 * MS, pair.sim.crash)
    pair.sim.at_moment("output", 99, 0, pair.sim.crash)
    pair.inc()
    pair.run(5)
    pair.sim.disarm()
    pair.run(1000)
    assert pair.events("crash") == [] and pair.role("n1") == "primary"


STRIKES = Plan(faults=tuple(PlannedFault(time_ns, "strike-at", {
    "moment": moment, "nth": nth, "after_ns": after_ns, "do": do, "whom": whom})
    for time_ns, moment, nth, after_ns, do, whom in [
        (0, "entry", 40, 0, "cut-off", "itself"), (0, "suspicion", 1, 1000, "pause", "itself"),
        (0, "output", 7, 0, "isolate", "other"), (1, "live", 1, 50_000, "crash", "itself")])
    + (PlannedFault(1500 * MS, "let-go"),))


def struck(record: Recorded) -> list[str]:
    """What the record says that the strikes did, in order."""
    effects = [op.value["effect"] for op in record.history
               if op.process == NEMESIS and op.f == "strike-at" and "effect" in op.value]
    return [next(word for word in ("nothing", "paused", "crashed", "cut") if word in effect)
            for effect in effects]


def test_a_strike_is_recorded_when_it_happens() -> None:
    """First that it waits, then what it did; and the same plan gives the same run."""
    test = Run(nemesis=("targeted",), time_limit_s=3, plan=STRIKES)
    record, verdict = rehearse(test)
    assert verdict.valid is True, verdict.why
    assert struck(record)[:4] == ["nothing"] * 4 and len(struck(record)) > 6
    times = [op.time for op in record.history]
    assert times == sorted(times)
    again, _ = rehearse(test)
    same: Callable[[Recorded], list[Event]] = lambda each: list(each.trace)
    assert again.history.ops == record.history.ops and same(again) == same(record)
