"""detangle, a checker in plain Python, on one history: `python other.py FILE`, JSONL of a register.

Prints the verdict and how long the check took, in nanoseconds, once the history is loaded.
"""

from __future__ import annotations

import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from histories import History  # noqa: E402
from histories.read import read_history  # noqa: E402


def loaded(history: History) -> list[Any]:
    """The operations as it records them; a cas that happened answers true."""
    made: Any = import_module("detangle").History()
    open_calls: dict[Any, Any] = {}
    for op in history:
        if op.type == "invoke":
            arg = tuple(op.value) if op.f == "cas" else op.value
            open_calls[op.process] = made.invoke(op.process, op.f, arg)
        elif op.type == "ok":
            made.ok(open_calls.pop(op.process), True if op.f == "cas" else op.value)
        else:
            getattr(made, op.type)(open_calls.pop(op.process))
    return [each for each in made.operations if each.status != "fail"]


def main(path: str) -> None:
    """Load, check, print."""
    lin = import_module("detangle.lin")
    operations = loaded(read_history(Path(path)))
    started_ns = time.perf_counter_ns()
    valid = lin.check(operations, lin.Register()).ok
    print("Ok" if valid else "Illegal", time.perf_counter_ns() - started_ns)


if __name__ == "__main__":
    main(sys.argv[1])
