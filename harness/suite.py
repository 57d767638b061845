"""A declared set of tests: a TOML file, each test under its seeds, all of them judged.

    [defaults]
    time_limit_s = 10
    seeds = 5                   # how many, counted from `seed`, or a list

    [[test]]
    name = "crashes"            # optional
    workload = "counter"
    nemesis = "crash, log-loss" # or a list

The keys are the fields of a Test; what a test does not say, the defaults do.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, Mapping, NamedTuple, Sequence

from harness.case import EXIT_CODES, Case, of_run
from harness.failure import vacuous
from harness.page import write_run_page
from harness.run import run
from harness.test import Test, from_fields
from histories import UsageError
from histories.jsonl import load_bytes

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE_BYTES_MAX = 1_000_000
RUNS_MAX = 100_000


class Declared(NamedTuple):
    """One run of a suite: the name of its test there, and where it is stored."""

    name: str
    test: Test
    store: Path


def read(path: Path, store: Path) -> list[Declared]:
    """All runs of a suite, in its order; UsageError names the file, the test and the key."""
    try:
        data = tomllib.loads(load_bytes(path, bytes_max=FILE_BYTES_MAX).decode("utf-8"))
    except (ValueError, RecursionError) as problem:
        raise UsageError(f"{path}: not TOML: {problem}") from None
    for key in data:
        if key not in ("defaults", "test"):
            raise UsageError(f"{path}: unknown key {key!r}; there is defaults, and [[test]]")
    defaults, tables = data.get("defaults", {}), data.get("test", [])
    if not isinstance(defaults, dict):
        raise UsageError(f"{path}: defaults is {defaults!r}, expected a table")
    if not isinstance(tables, list) or not tables \
            or not all(isinstance(each, dict) for each in tables):
        raise UsageError(f"{path}: expected one [[test]] or more")
    declared: list[Declared] = []
    for number, table in enumerate(tables, 1):
        try:
            declared += _runs({**defaults, **table}, store)
        except UsageError as problem:
            named = f" ({table['name']})" if "name" in table else ""
            raise UsageError(f"{path}: test {number}{named}: {problem}") from None
    _distinct(path, declared)
    return declared


def _runs(table: Mapping[str, Any], store: Path) -> list[Declared]:
    """The runs of one test, a seed each."""
    fields = {key: value for key, value in table.items() if key not in ("name", "seeds")}
    first = from_fields(fields, store)
    name = table.get("name", first.name)
    if not isinstance(name, str) or not name:
        raise UsageError(f"name is {name!r}, expected a text")
    return [Declared(name, replace(first, seed=seed), store)
            for seed in _seeds(table.get("seeds", 1), first.seed)]


def _seeds(wanted: Any, first: int) -> Sequence[int]:
    if type(wanted) is int and 1 <= wanted <= RUNS_MAX:
        return range(first, first + wanted)
    if isinstance(wanted, list) and wanted and len(set(map(str, wanted))) == len(wanted):
        return wanted
    raise UsageError(f"seeds is {wanted!r}, expected how many, from 1 to {RUNS_MAX}, or a list of "
                     "different ones")


def _distinct(path: Path, declared: list[Declared]) -> None:
    if len(declared) > RUNS_MAX:
        raise UsageError(f"{path}: {len(declared)} runs, more than the limit of {RUNS_MAX}")
    for (name, seed), count in Counter((each.name, each.test.seed) for each in declared).items():
        if count > 1:
            raise UsageError(f"{path}: two tests are called {name!r} and have the seed {seed}; "
                             "give one of them another name")


def judge(declared: Declared) -> Case:
    """Run, store and judge; what is not valid gets a page.  A run that breaks off has crashed."""
    start_s = time.monotonic()
    try:
        outcome = run(declared.test, declared.store)
        if outcome.verdict.valid is not True:
            write_run_page(outcome.path, outcome.record, outcome.verdict, outcome.explanation)
    except UsageError as problem:
        return not_judged(declared, "refused", str(problem))
    except Exception as error:      # one broken run must not end the others
        why = f"the run itself failed: {type(error).__name__}: {error}"
        return not_judged(declared, "crashed", why, traceback.format_exc())
    case = of_run(outcome, declared.test, time.monotonic() - start_s, declared.name)
    return replace(case, outcome="vacuous") if vacuous(outcome.verdict) else case


def not_judged(declared: Declared, outcome: str, why: str, more: str = "") -> Case:
    """A run that came to no verdict."""
    return Case(group=declared.name, name=f"seed {declared.test.seed}", outcome=outcome, why=why,
                text=f"{why}\n{more}".rstrip(), command=declared.test.command())


def settled(cases: Sequence[Case]) -> list[Case]:
    """The cases, with vacuous ones unknown where no run of the same test proved anything."""
    proved = {case.group for case in cases if case.outcome in ("valid", "invalid")}
    return [replace(case, outcome="unknown")
            if case.outcome == "vacuous" and case.group not in proved else case for case in cases]


def table(cases: Sequence[Case]) -> list[str]:
    """A line a test: how many of its runs came to what, and how long they took."""
    groups: dict[str, list[Case]] = {}
    for case in cases:
        groups.setdefault(case.group, []).append(case)
    width = max(map(len, groups), default=0)
    return [f"  {name:<{width}}  {counted(each)}, {sum(case.took_s for case in each):.1f} s"
            for name, each in groups.items()]


def counted(cases: Sequence[Case]) -> str:
    """How many came to what, the worst first."""
    counts = Counter(case.outcome for case in cases)
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in EXIT_CODES if counts[outcome])
