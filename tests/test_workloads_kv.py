"""The map: what its journal says, and what a guest that boots from it knows."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest
from bare import Bare, Blocks, Recorded, call, drive
from hypothesis import given, settings
from hypothesis import strategies as st

import harness.run
import harness.test
from histories import Event, Trace
from vmft import devices as dev
from vmft import entry as log
from workloads import kv


def run(system: Bare, seed: int, rate_hz: int = 400) -> None:
    """Clients, for a second."""
    drive(system, "kv", seed=seed, rate_hz=rate_hz, time_limit_s=1)


def held(system: Bare) -> dict[int, str]:
    """What a guest answers of every key; "" is left out."""
    answers = {}
    for key in range(kv.KEYS):
        reply = call(system, kv.encode("get", [key, None]))
        answers[key] = str(kv.decode("get", [key, None], reply).value[1])
    return {key: value for key, value in answers.items() if value}


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32), failing=st.sampled_from([0, 100, 500]))
def test_the_disk_has_what_was_answered(seed: int, failing: int) -> None:
    """A second machine on the first one's disk knows the same, and so does whoever reads it."""
    first = Bare("kv", seed, failing=failing)
    run(first, seed)
    known = held(first)
    assert known and kv.recover(first.blocks) == known
    second = Bare("kv", seed + 1, dict(first.blocks), failing=failing)
    assert held(second) == known


def test_nothing_is_answered_before_its_record_is_on_disk() -> None:
    """Nor before any record that comes earlier, whatever order the disk ends them in."""
    system = Bare("kv", 1, failing=100)
    run(system, 1)
    answers = {output.seq: kv.REPLY.unpack_from(output.data, 12)[2]
               for output in system.tape.outputs if output.device == dev.NIC}
    writes = {output.operation.number: output.operation.tag
              for output in system.tape.outputs if output.operation is not None}
    done, late = set(), 0
    for entry in system.tape.entries:
        if entry.kind == log.INPUT and log.APPLIED_DATA.unpack_from(entry.data)[1] == dev.DISK:
            number, _, status = dev.COMPLETION.unpack_from(entry.data, log.APPLIED_DATA.size)
            if number in writes and status == 0:
                done.add(writes[number])
                late += writes[number] + 1 in done
        assert done.issuperset(range(1, answers.get(entry.seq, 0) + 1))
    assert late, "every write ended in the order of its issue: nothing was shown"


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), lost=st.lists(st.booleans(), min_size=7, max_size=7),
       again=st.integers(0, 12))
def test_a_tail_with_holes_is_given_up(seed: int, lost: list[bool], again: int) -> None:
    """Power fails while up to eight records are on their way, then fails again: what a guest finds
    is a state that there was, at least the last one that was safe, and what a reader finds."""
    first = Bare("kv", seed)
    run(first, seed, rate_hz=60)
    crash(first.blocks, lost)
    expected = kv.recover(first.blocks)
    second = Bare("kv", seed + 1, first.blocks)
    assert held(second) == expected
    for word in range(again):
        second.send(bytes(12) + kv.encode("put", [word, f"again {word}"]))
    second.advance(second.now_ns + 50_000_000)
    crash(second.blocks, lost[::-1])
    expected = kv.recover(second.blocks)
    assert held(Bare("kv", seed + 2, second.blocks)) == expected


def crash(blocks: Blocks, lost: list[bool]) -> None:
    """Of the newest records some were never written; all but those were in flight."""
    records = {block: kv.read_block(content) for block, content in sorted(blocks.items())}
    newest = max(record.number for record in records.values() if record is not None)
    for block, record in records.items():
        if record is not None and newest - record.number < len(lost):
            if lost[newest - record.number]:
                del blocks[block]


# The audit

@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """A run on the pair, with its trace."""
    test = harness.test.Test(workload="kv", seed=1, time_limit_s=3)
    outcome = harness.run.run(test, tmp_path_factory.mktemp("store"))
    assert outcome.verdict.valid is True
    return Recorded({}, outcome.record.history, outcome.record.trace)


def test_an_audit_reads_the_whole_disk(recorded: Recorded) -> None:
    """Not only that nothing is wrong: every change was found."""
    verdict = kv.audit(recorded)
    changes = sum(call.outcome == "ok" and call.f != "get" for call in recorded.history.calls())
    assert verdict.valid is True and changes > 20
    assert verdict.evidence == {"changes": changes, "records": changes}
    assert kv.audit(recorded._replace(trace=Trace())).valid is True


@pytest.mark.parametrize("change, why", [
    (lambda event: None, "and is in no journal record"),
    (lambda event: event._replace(time=event.time + 10_000_000_000), "was answered before record"),
    (lambda event: event._replace(data={**event.data, "content": event.data["content"][:-2]}),
     "something that is no record"),
    (lambda event: event._replace(data={**event.data, "content": "00"}), "that is no record"),
])
def test_a_disk_that_disagrees_is_convicted(
    recorded: Recorded, change: Callable[[Event], Event | None], why: str
) -> None:
    """One write is missing, late, cut short or empty: whichever it is."""
    writes = [place for place, event in enumerate(recorded.trace) if event.kind == "disk-write"]
    for place in writes[:: len(writes) // 10]:
        events = list(recorded.trace)
        changed = change(events[place])
        events[place:place + 1] = [] if changed is None else [changed]
        verdict = kv.audit(recorded._replace(trace=Trace(events)))
        assert verdict.valid is False and why in verdict.why


def test_a_journal_that_forks_is_convicted(tmp_path: Path) -> None:
    """A disk write that leaves before the backup knows of it, and a backup that writes another."""
    found = []
    for seed in range(1, 6):
        test = harness.test.Test(workload="kv", seed=seed, time_limit_s=10,
                                 bugs=("no-output-rule",), nemesis=("crash", "log-loss"))
        found.append(harness.run.run(test, tmp_path).verdict.parts["disk-auditor"])
        if found[-1].valid is False:
            break
    assert found[-1].valid is False and "again, differently" in found[-1].why
