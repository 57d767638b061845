"""What many runs came to, taken together, as far as they have got.

A run whose faults met nothing proves nothing, but among many it is no reason for doubt: vacuous
runs are counted and named, and make the whole unknown only when there were no others.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from harness.coverage import unreached
from harness.failure import Finding, Signature, convicting
from harness.run import Outcome, run
from harness.test import Test

STORED_MAX = 5          # kinds of failure that are stored and explained in full


@dataclass
class Tally:
    """Counts, and the tests that failed by the way in which they did."""

    runs: int = 0
    operations: int = 0
    vacuous: int = 0
    marks: Counter[str] = field(default_factory=Counter)
    failed: dict[Signature, list[Test]] = field(default_factory=dict)
    unknown: list[tuple[Test, str]] = field(default_factory=list)

    def add(self, test: Test, finding: Finding) -> None:
        """One more run."""
        self.runs += 1
        self.operations += finding.operations
        self.vacuous += finding.vacuous
        self.marks.update(finding.marks)
        if finding.valid is False:
            self.failed.setdefault(finding.signature, []).append(test)
        elif finding.valid is None and not finding.vacuous:
            self.unknown.append((test, finding.why))

    @property
    def failures(self) -> int:
        """How many runs failed."""
        return sum(map(len, self.failed.values()))

    @property
    def valid(self) -> bool | None:
        """False when any run failed, None when any is unknown or nothing was proved."""
        if self.failed:
            return False
        return None if self.unknown or self.vacuous == self.runs else True

    def store(self, root: Path) -> list[Outcome]:
        """Run the first failure of each kind again, stored and explained, unless it is an error."""
        firsts = [tests[0] for signature, tests in self.failed.items()
                  if convicting(signature) != ("error",)]
        return [run(test, root) for test in firsts[:STORED_MAX]]

    def said(self, stored: list[Outcome]) -> list[str]:
        """The failures by kind, what is unknown, and the first explanation."""
        lines = [f"{len(tests)} failed by {', '.join(signature)}; the first:\n"
                 f"  {tests[0].command()}" for signature, tests in self.failed.items()]
        lines += [f"unknown: {why}\n  {test.command()}" for test, why in self.unknown[:STORED_MAX]]
        if self.vacuous:
            lines.append(f"{self.vacuous} of {self.runs} runs were vacuous: they prove nothing")
        lines += [f"stored: {outcome.path}" for outcome in stored]
        return lines + (["", *stored[0].explanation] if stored else [])

    def missing(self) -> list[str]:
        """The situations that no run reached, named."""
        missing = unreached(self.marks)
        if not missing:
            return ["every situation was reached"]
        return [f"{len(missing)} situations that no run reached:",
                *(f"  {each}" for each in missing)]
