"""What a failure of each checker reads like: golden texts, one file each in tests/golden.

After a change that is meant, `python tests/test_checker_paragraphs.py` writes them anew; read the
difference before it is committed.
"""

from __future__ import annotations

import re
import sys
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import pytest

FOLDER = Path(__file__).parent / "golden"
if __name__ == "__main__":
    sys.path[:0] = [str(FOLDER.parent), str(FOLDER.parent.parent)]

from small_trace import MS, Record, boot, event, live, release  # noqa: E402

from checker.check import Checker, check_all  # noqa: E402
from checker.explain import LINES_MAX, explain  # noqa: E402
from checker.report.marks import marks  # noqa: E402
from checker.report.page import render  # noqa: E402
from checker.verdict import Verdict  # noqa: E402
from harness.run import CHECKS  # noqa: E402
from histories import NEMESIS, Event, History, Op, Trace  # noqa: E402
from workloads import WORKLOADS, kv  # noqa: E402

COMMAND = "python -m checker run --workload {} --seed 7"


class Case(NamedTuple):
    """A small record that one checker, of one workload or of all, convicts."""

    events: tuple[Event, ...] = ()
    ops: tuple[Op, ...] = ()
    workload: str = "counter"


def op(ms: int, process: int | str, type_: Any, f: str, value: Any = None) -> Op:
    """One op, `ms` milliseconds after the start."""
    return Op(process, type_, f, value, ms * MS)


def fault(ms: int, start: int, f: str, **effect: Any) -> tuple[Op, Op]:
    """A fault as it was planned, at index `start`, and as it was observed."""
    return (op(ms, NEMESIS, "info", f),
            op(ms, NEMESIS, "info", f, {"start": start, "effect": effect}))


def done(ms: int, process: int, f: str, value: Any, answer: Any) -> tuple[Op, Op]:
    """A call of a millisecond."""
    return op(ms, process, "invoke", f, value), op(ms + 1, process, "ok", f, answer)


def journaled(ms: int, request: int, value: str) -> Event:
    """The first record of the map's journal, on its way to the disk."""
    said = kv.RECORD.pack(0, 0, 1, request, 3, len(value), 0, 0)[4:] + value.encode()
    content = zlib.crc32(said).to_bytes(4, "little") + said
    return event(ms, "disk", "disk_write", source="n1", generation=1, number=1, blocks=1,
                 block=kv.FIRST_BLOCK + 1, content=content.hex())


CRASH = fault(3, 0, "crash", crashed="n1", role="primary")
PAIR = boot("primary", "backup", "spare")
SUSPICION = (event(300, "n2", "suspect", generation=1, peer="n1", why="no heartbeat"),
             event(301, "disk", "test_and_set", generation=1, flag=0, asked="n2", winner="n2"))
TAKEOVER = (*SUSPICION, live(302, "n2", 2, outputs=1, clock=10, executed=4))
LATE = event(99_000, "n3", "spare")

CASES = {
    "linearizable": Case(ops=(*CRASH, *done(5, 0, "inc", None, 1), *done(7, 1, "inc", None, 2),
                              *done(9, 2, "read", None, 5))),
    "output-rule": Case((event(1, "n2", "acknowledge", received=4, generation=1),
                         release(2, "n1", 5)._replace(data={**release(2, "n1", 5).data,
                                                            "request": 0})),
                        (*done(1, 0, "inc", None, 1), *CRASH)),
    "output-requirement": Case((release(1, "n1", 1), release(2, "n1", 2), *TAKEOVER), CRASH),
    "duplicates": Case((release(1, "n1", 1), *TAKEOVER,
                        release(303, "n2", 1, generation=2, again=True, crc=5)), CRASH),
    "single-primary": Case((*SUSPICION[:1], live(301, "n2", 2),
                            event(310, "n1", "suspect", generation=1, peer="n2", why="silence"),
                            live(311, "n1", 2, executed=None)),
                           fault(3, 0, "cut", cut=[["n1", "n2"], ["n2", "n1"]])),
    "no-backup-io": Case((*PAIR, release(5, "n2", 1)), CRASH),
    "disk-operations": Case((*SUSPICION, live(302, "n2", 2)._replace(data={
        **live(302, "n2", 2).data, "pending": [3, 4]}),
        event(303, "n2", "reissue", generation=2, number=3)), CRASH),
    "divergence": Case((event(5, "n2", "divergence", seq=7, entry="interrupt", expected_at=100,
                              found_at=101, why="the witness differs",
                              registers={"rax": 1, "rip": 0x1000}),), CRASH),
    "lag-bound": Case((event(0, "n2", "slow", times=10), event(100, "n1", "share", percent=95),
                       event(9000, "n1", "ack", received=9, generation=1, lag_ns=2000 * MS)),
                      fault(0, 0, "slow", slowed="n2")),
    "failover": Case((*SUSPICION, LATE), CRASH),
    "redundancy": Case((*PAIR, event(100, "n1", "crash"), *TAKEOVER,
                        event(400, "cluster", "place", generation=2, host="n3"),
                        event(401, "n2", "clone", generation=2, to="n3"),
                        event(500, "n2", "clone_failed", generation=2, to="n3", why="silence"),
                        LATE), CRASH),
    "monotonic-time": Case((event(1, "n1", "log", seq=1, entry="result", at=1, value=20,
                                  of="clock", generation=1), *TAKEOVER[:2],
                            live(302, "n2", 2, clock=10, executed=1)), CRASH),
    "quiet": Case(TAKEOVER, (*CRASH, *fault(1000, 2, "heal", healed="all"),
                             op(5000, 0, "invoke", "inc"), op(5300, 0, "info", "inc"))),
    "vacuity": Case(ops=(op(1, 0, "invoke", "inc"), op(2, 0, "info", "inc"))),
    "monotonic": Case(ops=(*done(1, 0, "now", None, 50), *done(3, 1, "now", None, 40)),
                      workload="clock"),
    "unexpired": Case(ops=(*done(1, 0, "acquire", [0, 1, 1000], [0, "granted", 1]),
                           *done(4, 1, "acquire", [0, 2, 1000], [0, "granted", 2])),
                      workload="lease"),
    "disk-auditor": Case((journaled(6, 2, "a"), *SUSPICION, journaled(310, 4, "b")),
                         (*CRASH, op(5, 0, "invoke", "put", [3, "a"]),
                          op(8, 0, "ok", "put", [3, "a"]),
                          *done(309, 1, "put", [3, "b"], [3, "b"])), workload="kv"),
    "answers": Case(ops=done(1, 0, "compute", 5, [5, 6]), workload="load"),
}


def checker(name: str, workload: str) -> Checker:
    """The check of that name."""
    return {**WORKLOADS[workload].checks, **CHECKS}[name]


def judged(name: str) -> tuple[Record, Verdict]:
    """A case, and what its checker says of it."""
    case = CASES[name]
    test = {"workload": case.workload, "nemesis": ["crash"], "bugs": [], "seed": 7,
            "command": COMMAND.format(case.workload)}
    ops = History([each._replace(index=index) for index, each in enumerate(case.ops)])
    record = Record(test, ops, Trace(case.events))
    return record, check_all(record, {name: checker(name, case.workload)})


def told(name: str) -> list[str]:
    """The explanation of a case."""
    return explain(*judged(name))


@pytest.mark.parametrize("name", CASES)
def test_a_failure_reads_as_it_did(name: str) -> None:
    """From the headline to the commands."""
    lines = told(name)
    assert lines[0].startswith("UNKNOWN" if name == "vacuity" else "INVALID"), lines
    assert name in lines[0] and len(lines) <= LINES_MAX
    assert "\n".join(lines) + "\n" == (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_a_failure_has_a_page_that_shows_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Something is marked, a step says what, and the page opens there."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)    # plots show what happened, not why
    record, verdict = judged(name)
    text = render(record, verdict, told(name))
    found = marks(record, verdict, told(name))
    assert found and all(mark.check in (name, "") for mark in found)
    assert re.search(r'<li class="mark" data-moment="\d+">', text)


def test_every_checker_has_its_text() -> None:
    """All that can convict, or leave a run unknown; stats only counts."""
    known = set(CHECKS).union(*(workload.checks for workload in WORKLOADS.values()))
    assert known - {"stats"} == set(CASES)


if __name__ == "__main__":
    for each in CASES:
        (FOLDER / f"{each}.txt").write_text("\n".join(told(each)) + "\n", encoding="utf-8")
