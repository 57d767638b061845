"""What the pages show of a store: rows of runs, filtered, and two runs side by side.

No name that somebody asks for is ever joined to a path: runs and files are looked for among those
that the store lists, and symbolic links are not among them.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Iterable, Mapping, NamedTuple

from checker.difference import difference
from checker.verdict import from_json, word
from histories import UsageError
from histories.store import RESULTS, TEST, Run, runs

FILTERS = ("workload", "nemesis", "bug", "verdict")
ROWS_MAX = 500
CACHED_MAX = 100_000


class Row(NamedTuple):
    """One run: its name in the store, what was run, and what it came to."""

    name: str
    workload: str
    nemesis: tuple[str, ...]
    bug: tuple[str, ...]
    seed: str
    verdict: str
    parts: dict[str, str]
    test: dict[str, Any]
    path: Path

    def matches(self, wanted: Mapping[str, str]) -> bool:
        """Whether the run is of the kind that is asked for."""
        has = {"workload": (self.workload,), "nemesis": self.nemesis, "bug": self.bug,
               "verdict": (self.verdict,)}
        return all(wanted[key] in has[key] for key in FILTERS if wanted.get(key))


def rows(root: Path) -> list[Row]:
    """All runs, the newest first; one that cannot be read says so in place of its verdict."""
    stored = [(_modified(run.path / TEST), run.path) for run in runs(root)]
    return [_row(path, _modified(path / RESULTS)) for _, path in sorted(stored, reverse=True)]


def find(root: Path, name: str) -> Row | None:
    """The run of this name, "counter-crash/3"."""
    path = next((run.path for run in runs(root) if _name(run.path) == name), None)
    return None if path is None else _row(path, _modified(path / RESULTS))


def files(path: Path) -> dict[str, Path]:
    """The files of a run by name, links left out."""
    return {each.name: each for each in sorted(path.iterdir())
            if each.is_file() and not each.is_symlink() and not each.name.startswith(".")}


def values(shown: Iterable[Row]) -> dict[str, list[str]]:
    """For each filter, what there is to choose."""
    found: dict[str, list[str]] = {key: [] for key in FILTERS}
    for row in shown:
        found["workload"].append(row.workload)
        found["nemesis"] += row.nemesis
        found["bug"] += row.bug
        found["verdict"].append(row.verdict)
    return {key: sorted(set(each)) for key, each in found.items()}


def side_by_side(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Every key with both values, as text."""
    keys = [*one, *(key for key in other if key not in one)]
    return [(key, _words(one.get(key)), _words(other.get(key))) for key in keys]


def first_difference(one: Row, other: Row) -> list[str]:
    """Where two runs differ first, in the words of `diff`; none if nowhere."""
    try:
        return difference(Run(one.path), Run(other.path))
    except UsageError as problem:
        return [f"they cannot be compared: {problem}"]


def _words(value: Any) -> str:
    """A value of a test for people."""
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words(each)}" for key, each in value.items())
    return "" if value is None else str(value)


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _modified(path: Path) -> int:
    """When a file was last written; 0 when it is not there."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(CACHED_MAX)
def _row(path: Path, _results_written: int) -> Row:
    """Read again when the results were written again."""
    run = Run(path)
    try:
        test = run.test
        verdict = None if run.results is None else from_json(run.results)
    except UsageError as problem:
        return Row(_name(path), "", (), (), "", f"unreadable: {problem}", {}, {}, path)
    parts = {} if verdict is None else {
        name: word(part.valid) for name, part in verdict.parts.items()}
    return Row(_name(path), str(test.get("workload", "")), _names(test, "nemesis"),
               _names(test, "bugs"), str(test.get("seed", "")),
               "did not end" if verdict is None else word(verdict.valid), parts, test, path)


def _names(test: Mapping[str, Any], key: str) -> tuple[str, ...]:
    listed = test.get(key)
    return tuple(map(str, listed)) if isinstance(listed, list) else ()
