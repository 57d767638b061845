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

from harness.case import Case, exit_code, together
from harness.github import append_summary, quoted, workflow_commands
from harness.junit import junit

SUMMARY = "GITHUB_STEP_SUMMARY"
VALID = {"valid": True, "invalid": False}       # what is neither is "unknown", as in results.json


def add_outlets(parser: argparse.ArgumentParser) -> None:
    """Who wants to hear it, besides a person at a terminal."""
    parser.add_argument("--junit", type=Path, metavar="FILE",
                        help="write the verdicts as JUnit XML")
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--github", action="store_true",
                        help="print annotations for GitHub Actions, add to the step's summary")
    add_json(either)


def add_json(parser: argparse._ActionsContainer) -> None:
    """The same for a program."""
    parser.add_argument("--json", action="store_true",
                        help="print one JSON object and nothing else")


def say(lines: Sequence[str]) -> None:
    """Print lines, if there are any."""
    if lines:
        print("\n".join(lines))


def publish(arguments: argparse.Namespace, cases: Sequence[Case], *, text: Sequence[str],
            data: Mapping[str, Any], show: Callable[[Sequence[str]], None] = say) -> int:
    """Show `text`, or the cases and `data` with --json; tell CI.  Answers the cases' exit code."""
    command = str(arguments.command)
    try:
        _tell(arguments, cases, text=text, data=data, show=show)
        sys.stdout.flush()
    except BrokenPipeError:     # nobody listens any more
        raise
    except OSError as error:
        print(f"standard output: not written: {error.strerror}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if arguments.junit is not None:
        _try(str(arguments.junit), lambda: _write(arguments.junit, junit(command, cases)))
    summary = os.environ.get(SUMMARY)
    if arguments.github and summary:
        _try(SUMMARY, lambda: append_summary(Path(summary), command, cases))
    return exit_code(cases)


def _tell(arguments: argparse.Namespace, cases: Sequence[Case], *, text: Sequence[str],
          data: Mapping[str, Any], show: Callable[[Sequence[str]], None]) -> None:
    """What goes to standard output."""
    if arguments.json:
        print(json.dumps({"command": str(arguments.command), **_facts(cases), **data}, indent=1))
    elif arguments.github:
        say([*quoted(text), *workflow_commands(cases)])
    else:
        show(text)


def _facts(cases: Sequence[Case]) -> dict[str, Any]:
    """What every command's JSON begins with."""
    outcome = together(cases)
    return {"valid": VALID.get(outcome, "unknown"), "outcome": outcome,
            "cases": [case.to_json() for case in cases]}


def _try(what: str, act: Callable[[], None]) -> None:
    """Whatever goes wrong in telling is a line, and nothing more."""
    try:
        act()
    except Exception as error:      # what was found must not depend on who could be told
        print(f"{what}: not written: {type(error).__name__}: {error}", file=sys.stderr)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
