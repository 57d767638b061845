"""What one run or one file came to, as CI counts it, and one exit code for many of them.

A violation outranks whatever else went wrong, so that no mishap beside it can hide it.  A fault of
our own outranks what it left unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterable, Sequence

from checker.verdict import Verdict, word
from histories.store import PAGE, REPORT

if TYPE_CHECKING:       # who judges a file has no use for the machines
    from harness.judge import Judged
    from harness.run import Outcome
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


def together(cases: Iterable[Case]) -> str:
    """The outcome of all: the worst; of nothing, and of what is vacuous throughout, unknown."""
    found = {case.outcome for case in cases}
    worst = next((each for each in EXIT_CODES if each in found), "unknown")
    return "unknown" if worst == "vacuous" else worst


def exit_code(cases: Iterable[Case]) -> int:
    """One for all."""
    return EXIT_CODES[together(cases)]


def of_run(outcome: Outcome, test: Test, took_s: float, group: str = "") -> Case:
    """A run that was made just now."""
    return of_record(test, outcome.path, outcome.verdict, outcome.explanation,
                     took_s=took_s, group=group)


def of_record(test: Test, folder: Path, verdict: Verdict, explanation: Sequence[str], *,
              took_s: float = 0.0, group: str = "") -> Case:
    """A stored run."""
    return Case(
        group=group or test.name, name=f"seed {test.seed}", outcome=word(verdict.valid),
        why=verdict.why, text="\n".join(explanation), command=test.command(), took_s=took_s,
        artifacts=artifacts_of(folder))


def of_file(judged: Judged) -> Case:
    """A history file."""
    return Case(group=judged.model or "history", name=judged.path, outcome=judged.outcome,
                why=judged.verdict.why, text="\n".join(judged.explanation), file=judged.path)


def artifacts_of(folder: Path) -> tuple[str, ...]:
    """A run's folder, and what people read in it, as far as it was written."""
    files = (folder / name for name in (REPORT, PAGE))
    return (str(folder), *(str(path) for path in files if path.exists()))
