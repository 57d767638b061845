"""The verbs of the command line, one module each: `arguments(parser)` and `execute(arguments)`."""

from __future__ import annotations

from types import ModuleType

from harness.commands import (
    bugs, check, diff, export, hunt, inspect, list, replay, run, serve, shrink, step, suite,
    sweep,
)

COMMANDS: dict[str, ModuleType] = {
    "run": run, "check": check, "inspect": inspect, "replay": replay, "diff": diff, "step": step,
    "shrink": shrink, "suite": suite, "hunt": hunt, "sweep": sweep, "bugs": bugs,
    "export": export, "list": list, "serve": serve}
