"""What commands say of a run beside its explanation: the counts, and a line per check."""

from __future__ import annotations

from collections import Counter
from typing import Any

from checker.check import Record
from checker.verdict import Verdict, to_json, word
from harness.coverage import MARKS, reached
from histories import NEMESIS
from histories.history import Outcome
from histories.value import quantity

OUTCOMES: tuple[Outcome, ...] = ("ok", "fail", "info")


def facts(record: Record, verdict: Verdict) -> dict[str, Any]:
    """A run as JSON-able data: what was run, how much happened, and what each check found."""
    counts = Counter(call.outcome for call in record.history.calls())
    return {"test": record.test, "operations": {name: counts[name] for name in OUTCOMES},
            "nemesis_events": sum(op.process == NEMESIS for op in record.history),
            "trace_events": len(record.trace), "situations": list(reached(record)),
            "results": to_json(verdict)}


def summary(record: Record, verdict: Verdict) -> list[str]:
    """A run in a few lines: how much happened, what it reached, and what each check says."""
    told = facts(record, verdict)
    ended, marks = told["operations"], told["situations"]
    counts = ", ".join(f"{count} {name}" for name, count in ended.items())
    return [f"{quantity(sum(ended.values()), 'operation')} ({counts}), "
            f"{quantity(told['nemesis_events'], 'nemesis event')}, "
            f"{quantity(told['trace_events'], 'trace event')}",
            f"{len(marks)} of {len(MARKS)} situations reached: {', '.join(marks) or 'none'}",
            *checks(verdict)]


def checks(verdict: Verdict) -> list[str]:
    """One line per check: its name, its verdict, and why."""
    width = max((len(name) for name in verdict.parts), default=0)
    return [f"  {name:<{width}}  {word(part.valid):<7}  {part.why}"
            for name, part in verdict.parts.items()]
