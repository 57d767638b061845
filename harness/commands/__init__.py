"""The verbs of the command line, one module each: `arguments(parser)` and `execute(arguments)`.

A module is loaded when its verb is asked for: to judge a file takes no virtual machine.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Callable

COMMANDS: dict[str, Callable[[], ModuleType]] = {
    "run": lambda: import_module("harness.commands.run"),
    "check": lambda: import_module("harness.commands.check"),
    "inspect": lambda: import_module("harness.commands.inspect"),
    "replay": lambda: import_module("harness.commands.replay"),
    "diff": lambda: import_module("harness.commands.diff"),
    "step": lambda: import_module("harness.commands.step"),
    "shrink": lambda: import_module("harness.commands.shrink"),
    "suite": lambda: import_module("harness.commands.suite"),
    "hunt": lambda: import_module("harness.commands.hunt"),
    "sweep": lambda: import_module("harness.commands.sweep"),
    "bugs": lambda: import_module("harness.commands.bugs"),
    "export": lambda: import_module("harness.commands.export"),
    "list": lambda: import_module("harness.commands.list"),
    "serve": lambda: import_module("harness.commands.serve"),
}
