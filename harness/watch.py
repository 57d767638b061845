"""Linearizability, checked while a run goes.

The verdict of a run is always that of its whole record.  This only ends a run early, or tells
somebody early, and depends on nothing but the ops: a run that ends early ends early again.
"""

from __future__ import annotations

from typing import Callable

from checker import Online, Verdict
from harness.test import Test
from histories import Op, UsageError
from workloads.workload import LinearizableAs

Told = Callable[[Verdict], None]


class Violated(Exception):
    """Ends a run at the op that no order explains."""


class Watch:
    """The check of a run in progress; idle when nobody wants to know, or there is nothing to check.

    `told` is called once, when the history is invalid.
    """

    def __init__(self, test: Test, told: Told | None = None) -> None:
        checks = test.workload_of().checks.values()
        model = next((each.model for each in checks if isinstance(each, LinearizableAs)), None)
        wanted = test.fail_fast or told is not None
        self._online = Online(model) if model is not None and wanted else None
        self._fail_fast = test.fail_fast
        self._told = told

    def see(self, op: Op) -> None:
        """Take the next op; raises Violated when the run is to end with it."""
        if self._online is None:
            return
        try:
            verdict = self._online.feed(op)
        except UsageError:      # the checks of the whole record will say so again
            self._online = None
            return
        if verdict is not None and verdict.valid is False:
            self._online = None
            if self._told is not None:
                self._told(verdict)
            if self._fail_fast:
                raise Violated
