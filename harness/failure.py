"""What a run came to, small enough to travel: how it failed, when, and what it reached.

Two failures are the same when the same checkers convict with the same kind of evidence.  That is
what shrinking keeps, what hunting counts, and what the kill matrix is about.
"""

from __future__ import annotations

import traceback
from typing import Any, Iterable, Mapping, NamedTuple

from checker.check import Recorded
from checker.explain import BLACK_BOX
from checker.verdict import Verdict
from harness.coverage import reached
from harness.run import rehearse
from harness.test import Test
from histories import UsageError

Signature = tuple[str, ...]

ERROR = "error"         # stands for a checker where a run broke off
PROBLEMS = ("problems", "early", "events")      # where evidence lists what was found


class Finding(NamedTuple):
    """What one run came to.

    `signature` is empty unless it is invalid, or broke off by a fault of ours and has no verdict.
    Of its `calls`, `operations` were made up to the first conviction; by `decided_ns` every
    conviction had its evidence.  `marks` names the situations that were reached.
    """

    valid: bool | None
    why: str
    signature: Signature
    operations: int
    decided_ns: int | None
    marks: tuple[str, ...]
    vacuous: bool = False
    calls: int = 0
    broke_off: bool = False

    @property
    def convicted_by(self) -> tuple[str, ...]:
        """The checkers that convict, without the kinds of their evidence."""
        return convicting(self.signature)


def find(test: Test) -> Finding:
    """Run a test in memory, and say what came of it, also of a run that ends in an error."""
    try:
        record, verdict = rehearse(test)
    except UsageError:
        raise
    except Exception as error:      # one broken run must not end a hunt for others
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return Finding(None, f"the run itself failed: {type(error).__name__}: {error}",
                       (f"{ERROR} {type(error).__name__} in {frame.name}",), 0, None, (),
                       broke_off=True)
    times = convictions_ns(record, verdict)
    starts = [op.time for op in record.history if op.type == "invoke"]
    until = sum(not times or start_ns <= min(times) for start_ns in starts)
    return Finding(verdict.valid, verdict.why, signature(verdict), until,
                   max(times, default=None), reached(record),
                   vacuous(verdict), len(starts))


def vacuous(verdict: Verdict) -> bool:
    """Whether all that stands against a run is that it did too little."""
    unknown = [name for name, part in verdict.parts.items() if part.valid is None]
    return verdict.valid is None and unknown == ["vacuity"]


def signature(verdict: Verdict) -> Signature:
    """Which checkers convict, and by what kind of evidence, in a fixed order."""
    if verdict.valid is not False:
        return ()
    return tuple(sorted(f"{name} {_kind(part)}".strip()
                        for name, part in verdict.parts.items() if part.valid is False))


def convicting(of: Signature) -> tuple[str, ...]:
    """The checkers of a signature."""
    return tuple(each.split()[0] for each in of)


def black_box(names: Iterable[str]) -> bool:
    """Whether the clients' history alone convicts."""
    return any(name in BLACK_BOX for name in names)


def convictions_ns(record: Recorded, verdict: Verdict) -> list[int]:
    """For each checker that convicts, when the first thing happened that it convicts for."""
    times = [_times(record, part.evidence) for part in verdict.parts.values()
             if part.valid is False]
    return [min(each) for each in times if each]


def _times(record: Recorded, evidence: Mapping[str, Any]) -> list[int]:
    times = [each["time"] for each in _problems(evidence) if "time" in each]
    if isinstance(evidence.get("op"), int):
        times.append(record.history.ops[evidence["op"]].time)
    return times


def _kind(part: Verdict) -> str:
    """What the checker calls the kind, or the first word of its first problem; never a name."""
    first = next((str(each["problem"]) for each in _problems(part.evidence)
                  if each.get("problem")), "")
    return str(part.evidence.get("kind") or first.split(" ")[0])


def _problems(evidence: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each for name in PROBLEMS for each in evidence.get(name, [])]
