"""Counts: how many calls of each kind ended how.  Always valid; it informs."""

from __future__ import annotations

from collections import Counter

from checker.check import Record
from checker.verdict import Verdict


def stats(record: Record) -> Verdict:
    """Calls by f and outcome."""
    by_f: dict[str, Counter[str]] = {}
    for call in record.history.calls():
        by_f.setdefault(call.f, Counter())[call.outcome] += 1
    counts = {f: {name: count[name] for name in ("ok", "fail", "info")}
              for f, count in sorted(by_f.items())}
    said = [f"{sum(count.values())} {f} ({count['ok']} ok)" for f, count in counts.items()]
    return Verdict(valid=True, why=", ".join(said) or "no calls", evidence={"calls": counts})
