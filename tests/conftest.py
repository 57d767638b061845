"""What holds for all tests: no property has a deadline, since nothing here depends on a clock.

On CI the examples are the same in every run, so that a change is judged by what it changed; a
developer's runs draw new ones each time.

Which situations the whole runs of a session have reached is told at its end, and which none has;
runs in processes of their own are not counted, but those of pytest-xdist's workers are.
"""

import os
from collections import Counter
from typing import Any

import pytest
from hypothesis import settings

from checker.check import Recorded
from harness import run
from harness.coverage import MARKS, reached, unreached
from histories.value import quantity

settings.register_profile("untimed", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "untimed")

RUNS = pytest.StashKey[Counter[str]]()
ALL = "runs"


def pytest_configure(config: pytest.Config) -> None:
    """Look into every run that is made in this process."""
    counted = config.stash[RUNS] = Counter[str]()
    execute = run.execute

    def counting(*arguments: Any, **options: Any) -> Recorded:
        record = execute(*arguments, **options)
        counted.update([ALL, *reached(record)])
        return record

    run.execute = counting


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands in what it has counted."""
    handed_in = getattr(session.config, "workeroutput", None)
    if handed_in is not None:
        counted = session.config.stash[RUNS]
        handed_in["situations"] = dict(counted)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker has ended."""
    config: pytest.Config = node.config
    handed_in: dict[str, int] = getattr(node, "workeroutput", {}).get("situations", {})
    config.stash[RUNS].update(handed_in)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter,
                            config: pytest.Config) -> None:
    """Sum them up, where there were any."""
    counted = config.stash[RUNS]
    if counted[ALL]:
        missing = unreached(counted)
        terminalreporter.write_line(f"{quantity(counted[ALL], 'run')} reached "
                                    f"{len(MARKS) - len(missing)} of "
                                    f"{len(MARKS)} situations" + ", all but:" * bool(missing))
        for each in missing:
            terminalreporter.write_line(f"  {each}")
