"""What one run or one file came to, as CI counts it, and one exit code for many of them.

A violation outranks whatever else went wrong, so that no mishap beside it can hide it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterable

from checker.verdict import Verdict, word
from harness.page import PAGE
from harness.run import REPORT, Outcome
from harness.tally import STORED_MAX, Tally
from harness.test import Test

# Worst first.  A vacuous run proves nothing, which is no harm among others that prove something.
EXIT_CODES = {"invalid": 1, "crashed": 255, "refused": 254, "unknown": 2, "valid": 0, "vacuous": 2}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One judged run or file.

    `outcome` is a key of EXIT_CODES, `why` a sentence, `text` the explanation exactly as in
    report.txt, `command` the one that runs it again, `took_s` wall time.  `artifacts` names what
    was written, `file` the source that an annotation belongs to.
    """

    group: str
    name: str
    outcome: str
    why: str
    text: str = ""
    command: str = ""
    took_s: float = 0.0
    artifacts: tuple[str, ...] = ()
    file: str = ""

    @property
    def title(self) -> str:
        """Outcome and name, for a headline."""
        return f"{self.outcome.upper()} {self.group}: {self.name}"

    def to_json(self) -> dict[str, Any]:
        """As JSON-able data."""
        return {"group": self.group, "name": self.name, "outcome": self.outcome, "why": self.why,
                "explanation": self.text, "command": self.command, "took_s": round(self.took_s, 3),
                "artifacts": list(self.artifacts)}


def exit_code(cases: Iterable[Case]) -> int:
    """One for all: that of the worst; of nothing, that of unknown."""
    found = {case.outcome for case in cases}
    worst = next((each for each in EXIT_CODES if each in found), "unknown")
    return EXIT_CODES[worst]


def of_run(outcome: Outcome, test: Test, took_s: float, group: str = "") -> Case:
    """A stored run."""
    return Case(
        group=group or test.name, name=f"seed {test.seed}", outcome=word(outcome.verdict.valid),
        why=outcome.verdict.why, text="\n".join(outcome.explanation), command=test.command(),
        took_s=took_s, artifacts=artifacts_of(outcome.path))


def of_tally(tally: Tally, stored: list[Outcome], test: Test, took_s: float) -> list[Case]:
    """Many runs of one test: each kind of failure, what is unknown, and all the others as one."""
    texts = {str(each.record.test["command"]): each for each in stored}
    cases = []
    for signature, tests in tally.failed.items():
        first = tests[0]
        outcome = texts.get(first.command())
        many = f"{len(tests)} of {tally.runs} runs failed by {', '.join(signature)}"
        cases.append(Case(
            group=test.name, name=f"seed {first.seed}", outcome="invalid", why=many,
            text="\n".join(outcome.explanation) if outcome else many, command=first.command(),
            artifacts=artifacts_of(outcome.path) if outcome else ()))
    cases += [Case(group=test.name, name=f"seed {each.seed}", outcome="unknown", why=why,
                   text=why, command=each.command()) for each, why in tally.unknown[:STORED_MAX]]
    proved = tally.runs - tally.failures - len(tally.unknown) - tally.vacuous
    rest = f"{proved} runs valid, {tally.vacuous} vacuous"
    if proved or not cases:
        cases.append(Case(group=test.name, name="the other seeds" if cases else "all seeds",
                          outcome="valid" if proved else "unknown", why=rest, text=rest,
                          took_s=took_s))
    return cases


def of_file(path: str, model: str, verdict: Verdict, text: str, refused: str = "") -> Case:
    """A history file."""
    return Case(group=model or "history", name=path, why=refused or verdict.why,
                outcome="refused" if refused else word(verdict.valid), text=refused or text,
                file=path)


def artifacts_of(folder: Path) -> tuple[str, ...]:
    """A run's folder, and what people read in it, as far as it was written."""
    files = (folder / name for name in (REPORT, PAGE))
    return (str(folder), *(str(path) for path in files if path.exists()))
