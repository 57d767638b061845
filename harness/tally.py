"""What many runs came to, taken together, as far as they have got.

A run whose faults met nothing proves nothing, but among many it is no reason for doubt: vacuous
runs are counted and named, and make the whole unknown only when there were no others.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from harness.case import Case, artifacts_of
from harness.coverage import unreached
from harness.failure import Finding, Signature, convicting
from harness.run import Outcome, run
from harness.test import Test
from histories.value import quantity

STORED_MAX = 5          # kinds of failure that are stored and explained in full


@dataclass
class Tally:
    """Counts, the tests that failed by the way in which they did, and those without a verdict.

    `operations` counts the calls of all runs, `broken` the runs that broke off by a fault of ours.
    """

    runs: int = 0
    operations: int = 0
    vacuous: int = 0
    marks: Counter[str] = field(default_factory=Counter)
    failed: dict[Signature, list[Test]] = field(default_factory=dict)
    broken: list[tuple[Test, str]] = field(default_factory=list)
    unknown: list[tuple[Test, str]] = field(default_factory=list)

    def add(self, test: Test, finding: Finding) -> None:
        """One more run."""
        self.runs += 1
        self.operations += finding.calls
        self.vacuous += finding.vacuous
        self.marks.update(finding.marks)
        if finding.broke_off:
            self.broken.append((test, finding.why))
        elif finding.valid is False:
            self.failed.setdefault(finding.signature, []).append(test)
        elif finding.valid is None and not finding.vacuous:
            self.unknown.append((test, finding.why))

    @property
    def failures(self) -> int:
        """How many runs failed."""
        return sum(map(len, self.failed.values()))

    @property
    def proved(self) -> int:
        """How many runs were valid, and not vacuous."""
        return self.runs - self.failures - len(self.broken) - len(self.unknown) - self.vacuous

    def store(self, root: Path) -> list[Outcome]:
        """Run the first failure of each kind again, stored and explained."""
        return [run(tests[0], root) for tests in list(self.failed.values())[:STORED_MAX]]

    def cases(self, stored: list[Outcome], group: str, took_s: float) -> list[Case]:
        """Each kind of failure, what has no verdict, and all the others as one."""
        outcomes = {str(each.record.test["command"]): each for each in stored}
        cases = [self._failure(group, signature, tests, outcomes.get(tests[0].command()))
                 for signature, tests in self.failed.items()]
        for outcome, without in (("crashed", self.broken), ("unknown", self.unknown)):
            cases += [Case(group=group, name=named(test), outcome=outcome, why=why, text=why,
                           command=test.command()) for test, why in without[:STORED_MAX]]
        rest = f"{quantity(self.proved, 'run')} valid, {self.vacuous} vacuous"
        if self.proved or not cases:
            cases.append(Case(group=group, name="the other runs" if cases else "all runs",
                              outcome="valid" if self.proved else "unknown", why=rest, text=rest,
                              took_s=took_s))
        return cases

    def _failure(self, group: str, signature: Signature, tests: list[Test],
                 outcome: Outcome | None) -> Case:
        """One kind of failure, by its first run, explained if that was stored."""
        many = f"{len(tests)} of {quantity(self.runs, 'run')} {_by(signature)}"
        return Case(group=group, name=named(tests[0]), outcome="invalid", why=many,
                    text="\n".join(outcome.explanation) if outcome else many,
                    command=tests[0].command(),
                    artifacts=artifacts_of(outcome.path) if outcome else ())

    def said(self, stored: list[Outcome]) -> list[str]:
        """The failures by kind, what has no verdict, and the first explanation."""
        lines = [f"{quantity(len(tests), 'run')} {_by(signature)}; the first:\n"
                 f"  {tests[0].command()}" for signature, tests in self.failed.items()]
        for outcome, without in (("crashed", self.broken), ("unknown", self.unknown)):
            lines += [f"{outcome}: {why}\n  {test.command()}" for test, why in without[:STORED_MAX]]
            if len(without) > STORED_MAX:
                lines.append(f"{len(without) - STORED_MAX} more are {outcome}")
        if self.vacuous:
            lines.append(f"vacuous, and so no proof of anything: {self.vacuous} of "
                         f"{quantity(self.runs, 'run')}")
        lines += [f"stored: {outcome.path}" for outcome in stored]
        return lines + (["", *stored[0].explanation] if stored else [])

    def missing(self) -> list[str]:
        """The situations that no run reached, named."""
        missing = unreached(self.marks)
        if not missing:
            return ["every situation was reached"]
        return [f"{quantity(len(missing), 'situation')} that no run reached:",
                *(f"  {each}" for each in missing)]


def _by(signature: Signature) -> str:
    return f"failed by {', '.join(convicting(signature))}"


def named(test: Test) -> str:
    """What tells a run from the others of its test: the seed, and the fault of a sweep."""
    faults = () if test.plan is None else test.plan.faults or ()
    return ", ".join([f"seed {test.seed}", *(f"{fault.f} at {fault.time_ns} ns"
                                             for fault in faults[:1])])
