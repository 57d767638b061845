"""What commands print of a run beside its explanation: the counts, and a line per check."""

from __future__ import annotations

from collections import Counter

from checker.check import Record
from checker.verdict import Verdict, word
from harness.coverage import MARKS, reached
from histories import NEMESIS


def summary(record: Record, verdict: Verdict) -> list[str]:
    """A run in a few lines: how much happened, what it reached, and what each check says."""
    outcomes = Counter(call.outcome for call in record.history.calls())
    faults = sum(op.process == NEMESIS for op in record.history)
    counts = ", ".join(f"{outcomes[name]} {name}" for name in ("ok", "fail", "info"))
    lines = [f"{sum(outcomes.values())} operations ({counts}), {faults} nemesis events, "
             f"{len(record.trace)} trace events"]
    marks = reached(record)
    lines.append(f"{len(marks)} of {len(MARKS)} situations reached: {', '.join(marks) or 'none'}")
    return lines + checks(verdict)


def checks(verdict: Verdict) -> list[str]:
    """One line per check: its name, its verdict, and why."""
    width = max((len(name) for name in verdict.parts), default=0)
    return [f"  {name:<{width}}  {word(part.valid):<7}  {part.why}"
            for name, part in verdict.parts.items()]
