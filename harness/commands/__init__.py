"""The verbs of the command line, one module each: `arguments(parser)` and `execute(arguments)`."""

from __future__ import annotations

from types import ModuleType

from harness.commands import check, inspect, list, replay, run, shrink

COMMANDS: dict[str, ModuleType] = {
    "run": run, "check": check, "inspect": inspect, "replay": replay,
    "shrink": shrink, "list": list}
