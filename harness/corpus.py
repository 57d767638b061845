"""Failing tests of earlier hunts, kept beside the stored runs and tried first next time.

One SQLite file below the store, so that several hunts may write at once.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from harness.failure import Signature, convicting
from harness.test import Test, from_json
from histories import UsageError

FILE = "failures.sqlite"
SCHEMA = """CREATE TABLE IF NOT EXISTS failures (
    test TEXT PRIMARY KEY, kin TEXT NOT NULL, failed_by TEXT NOT NULL)"""
WAIT_S = 30


class Corpus:
    """The failing tests of one store.  UsageError when the file cannot be used."""

    def __init__(self, root: Path) -> None:
        self.path = root / FILE
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise UsageError(f"{root}: {problem.strerror}") from None
        self._execute(SCHEMA)

    def add(self, test: Test, signature: Signature) -> None:
        """Keep a test that failed."""
        self._execute("INSERT OR REPLACE INTO failures VALUES (?, ?, ?)",
                      _text(test), _kin(test), ", ".join(convicting(signature)))

    def remove(self, test: Test) -> None:
        """Forget a test that fails no more."""
        self._execute("DELETE FROM failures WHERE test = ?", _text(test))

    def like(self, test: Test) -> list[Test]:
        """The failing tests that differ from this one in their seed alone, in order of seeds."""
        rows = self._execute("SELECT test FROM failures WHERE kin = ?", _kin(test))
        return sorted((from_json(json.loads(text)) for (text,) in rows),
                      key=lambda each: each.seed)

    def _execute(self, statement: str, *values: str) -> list[tuple[str, ...]]:
        """One statement, in a transaction of its own."""
        try:
            with closing(sqlite3.connect(self.path, timeout=WAIT_S)) as database, database:
                return list(database.execute(statement, values))
        except sqlite3.Error as problem:
            raise UsageError(f"{self.path}: {problem}") from None


def _text(test: Test) -> str:
    return json.dumps(test.to_json(), sort_keys=True)


def _kin(test: Test) -> str:
    """The test without its seed."""
    return _text(replace(test, seed=0))
