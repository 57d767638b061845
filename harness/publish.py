"""What a command came to, said to whoever asked: a person, a program, a JUnit file, GitHub.

No trouble in saying it changes a verdict: it is a line on stderr, and the exit code stays that of
the cases.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any, Callable, Mapping, Sequence

from harness.case import Case, exit_code
from harness.github import append_summary, quoted, workflow_commands
from harness.junit import junit

SUMMARY = "GITHUB_STEP_SUMMARY"


def add_outlets(parser: argparse.ArgumentParser) -> None:
    """Who wants to hear it, besides a person at a terminal."""
    parser.add_argument("--junit", type=Path, metavar="FILE",
                        help="write the verdicts as JUnit XML")
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--github", action="store_true",
                        help="print annotations for GitHub Actions, add to the step's summary")
    either.add_argument("--json", action="store_true",
                        help="print one JSON object and nothing else")


def publish(arguments: argparse.Namespace, cases: Sequence[Case], *, text: Sequence[str],
            data: Mapping[str, Any]) -> int:
    """Print `text`, or `data` with --json; tell CI of the cases.  Answers their exit code."""
    if arguments.json:
        print(json.dumps(data, indent=1))
    elif text:
        print("\n".join(quoted(text) if arguments.github else text))
    command = str(arguments.command)
    if arguments.junit is not None:
        _try(str(arguments.junit), lambda: _write(arguments.junit, junit(command, cases)))
    if arguments.github:
        print("".join(f"{line}\n" for line in workflow_commands(cases)), end="")
        summary = os.environ.get(SUMMARY)
        if summary:
            _try(SUMMARY, lambda: append_summary(Path(summary), command, cases))
    return exit_code(cases)


def _try(what: str, act: Callable[[], None]) -> None:
    """Whatever goes wrong in telling is a line, and nothing more."""
    try:
        act()
    except Exception as error:      # what was found must not depend on who could be told
        print(f"{what}: not written: {type(error).__name__}: {error}", file=sys.stderr)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
