"""The run store: one folder a run, readable at any moment, also after a kill.

``<root>/<test name>/<number>/`` holds ``test.json`` (written first), ``history.jsonl`` and
``trace.jsonl`` (streamed), ``results.json`` (last, in one atomic step); reports join them later.
``latest`` links, in the root and in each test's folder, point to the newest run.  Numbers count
up, so that no clock reaches a name; they are claimed by ``mkdir``, so parallel runs do not clash.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Iterator, Mapping, TextIO

from histories.bulk import parse_bulk
from histories.errors import UsageError
from histories.history import History
from histories.jsonl import dump_op, load_bytes
from histories.op import Op
from histories.trace import Event, Trace, dump_event, read_trace

TEST = "test.json"
HISTORY = "history.jsonl"
TRACE = "trace.jsonl"
RESULTS = "results.json"
REPORT = "report.txt"           # what people read
PAGE = "report.html"
LATEST = "latest"
NAME_LENGTH_MAX = 100
RUNS_MAX = 1_000_000


class Run:
    """A stored run; its parts are read when first asked for.

    A run that was killed has a shorter history and trace, whose last line may be cut off, and no
    results (None).  UsageError, with file and line, for what cannot be read otherwise.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @cached_property
    def test(self) -> dict[str, Any]:
        """What was run."""
        return _read_json(self.path / TEST)

    @cached_property
    def history(self) -> History:
        """What the clients saw."""
        path = self.path / HISTORY
        if not path.exists():       # killed before it was there
            return History([])
        return parse_bulk(load_bytes(path), str(path), cut_ok=True)

    @cached_property
    def trace(self) -> Trace:
        """What the replicas did."""
        path = self.path / TRACE
        return read_trace(path, cut_ok=True) if path.exists() else Trace()

    @cached_property
    def results(self) -> dict[str, Any] | None:
        """What was concluded; None when the run did not get that far."""
        path = self.path / RESULTS
        return _read_json(path) if path.exists() else None


class RunWriter:
    """Writes one run's folder as the run goes on; a context manager.

    Errors of the file system (a full disk, say) come out as UsageError.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with _one_line(path):
            self._history = (path / HISTORY).open("w", buffering=1, encoding="utf-8", newline="\n")
            self._trace = (path / TRACE).open("w", buffering=1, encoding="utf-8", newline="\n")

    def op(self, op: Op) -> None:
        """Add an op to the history; it is on its way to the disk when this returns."""
        self._append(self._history, dump_op(op))

    def event(self, event: Event) -> None:
        """Add an event to the trace."""
        self._append(self._trace, dump_event(event))

    def _append(self, file: TextIO, line: str) -> None:
        try:
            file.write(line + "\n")
        except OSError as problem:
            raise _told(self.path, problem) from None

    def results(self, results: Mapping[str, Any]) -> None:
        """Store what was concluded, all of it or nothing; may be called again."""
        with _one_line(self.path):
            _write_json(self.path / RESULTS, results)

    def text(self, name: str, text: str) -> None:
        """Store a text of this name, such as a report."""
        with _one_line(self.path):
            (self.path / name).write_text(text, encoding="utf-8", newline="\n")

    def close(self) -> None:
        """Close history and trace; the folder is complete as it stands."""
        with _one_line(self.path):
            try:
                self._history.close()
            finally:
                self._trace.close()

    def __enter__(self) -> "RunWriter":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


def create(root: Path, name: str, test: Mapping[str, Any]) -> RunWriter:
    """A new run of the test of this name; ``test`` is what test.json shall hold.

    UsageError when nothing can be written there.
    """
    folder = root / _folder_name(name)
    with _one_line(root):
        folder.mkdir(parents=True, exist_ok=True)
        path = _claim(folder)
        _write_json(path / TEST, test)
        (path / HISTORY).touch()
        (path / TRACE).touch()
        _link(folder / LATEST, path.name)
        _link(root / LATEST, os.path.join(folder.name, path.name))
    return RunWriter(path)


def keep(path: Path, content: Mapping[str, Any]) -> None:
    """Put a JSON file beside the runs, all of it or nothing; UsageError when that cannot be."""
    with _one_line(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_json(path, content)


def ready(root: Path) -> None:
    """UsageError unless files can be written below `root`; for those who store only at the end."""
    probe = root / f".ready-{os.getpid()}"
    with _one_line(root):
        root.mkdir(parents=True, exist_ok=True)
        try:
            probe.write_text("\n", encoding="utf-8")
        finally:
            probe.unlink(missing_ok=True)


def runs(root: Path) -> list[Run]:
    """All stored runs, by test name and number."""
    if not root.is_dir():
        return []
    with _one_line(root):
        folders = sorted(entry for entry in root.iterdir() if _is_real_folder(entry))
        return [
            Run(folder / str(number))
            for folder in folders
            for number in _numbers(folder)
            if (folder / str(number) / TEST).exists()
        ]


def latest(root: Path) -> Run:
    """The newest run; UsageError when there is none."""
    path = root / LATEST
    if not (path / TEST).exists():
        raise UsageError(f"{root}: no stored run")
    return Run(path.resolve())


def resolve(root: Path, name: str | None = None) -> Run:
    """The run that a person means.

    A folder of a run, a name below the root (``counter-crash/3``), a test's name (its newest
    run), or None (the newest of all).  UsageError if there is none.
    """
    if name is None:
        return latest(root)
    for path in (Path(name), root / name, root / name / LATEST):
        with _one_line(path):
            if (path / TEST).is_file():
                return Run(path.resolve())
    raise UsageError(f"{name}: no stored run, neither a folder with {TEST} nor a name in {root}")


def _folder_name(name: str) -> str:
    kept = re.sub(r"[^A-Za-z0-9._,+=-]+", "-", name).lstrip(".-")[:NAME_LENGTH_MAX]
    return f"{kept}-" if kept in ("", LATEST) else kept


def _is_real_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _numbers(folder: Path) -> list[int]:
    return sorted(
        int(entry.name) for entry in folder.iterdir()
        if entry.name.isascii() and entry.name.isdigit() and _is_real_folder(entry)
    )


def _claim(folder: Path) -> Path:
    """The folder of a new number; the one made by ``mkdir`` is ours alone."""
    for number in range(max(_numbers(folder), default=0) + 1, RUNS_MAX):
        try:
            (folder / str(number)).mkdir()
            return folder / str(number)
        except FileExistsError:
            continue
    raise UsageError(f"{folder}: more than {RUNS_MAX} runs")


def _link(link: Path, target: str) -> None:
    """Point a link at a run in one step, whatever other runs do at the same time."""
    fresh = link.with_name(f".{link.name}-{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target, target_is_directory=True)
    fresh.replace(link)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write to a neighbour, then rename: readers see the old file or the new one."""
    fresh = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        text = json.dumps(content, indent=2, allow_nan=False)
    except (TypeError, ValueError) as problem:
        raise UsageError(f"{path}: cannot be written as JSON: {problem}") from None
    with fresh.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(load_bytes(path))
    except (ValueError, RecursionError) as problem:
        raise UsageError(f"{path}: not JSON: {problem}") from None
    if not isinstance(content, dict):
        raise UsageError(f"{path}: expected a JSON object")
    return content


@contextmanager
def _one_line(path: Path) -> Iterator[None]:
    """Turn an error of the file system into one line."""
    try:
        yield
    except OSError as problem:
        raise _told(path, problem) from None


def _told(path: Path, problem: OSError) -> UsageError:
    return UsageError(f"{problem.filename or path}: {problem.strerror or problem}")
