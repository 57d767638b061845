"""The command line: `python -m checker COMMAND`.

Every command ends with the same exit codes: 0 valid, 1 invalid, 2 unknown, 254 a mistake in what
was asked or given, 255 our own fault.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from io import TextIOWrapper
from typing import Iterable, NoReturn, Sequence

from harness.case import EXIT_CODES
from harness.commands import COMMANDS
from histories import UsageError

USAGE, OUR_FAULT = EXIT_CODES["refused"], EXIT_CODES["crashed"]
INTERRUPTED, PIPE_CLOSED = 130, 141         # as a shell tells it


class Parser(argparse.ArgumentParser):
    """Argument parsing that ends in one line and our exit code."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")


def parser(names: Iterable[str] = COMMANDS) -> Parser:
    """The commands of these names, all by default, and their options."""
    top = Parser(prog="python -m checker", description="Tells whether a replicated system keeps "
                 "its promises.", epilog="exit codes: 0 valid, 1 invalid, 2 unknown, 254 bad "
                 "arguments or input, 255 a fault of the checker itself")
    verbs = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in names:
        module = COMMANDS[name]()
        summary = (module.__doc__ or "").splitlines()[0]
        verb = verbs.add_parser(name, help=summary, description=summary)
        module.arguments(verb)
        verb.set_defaults(execute=module.execute)
    return top


def _print_anything() -> None:
    """A character that the terminal cannot show is spelt out, and no reason to fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; answers the exit code."""
    _print_anything()
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        one = [word for word in words[:1] if word in COMMANDS]
        arguments = parser(one or COMMANDS).parse_args(words)
        code = int(arguments.execute(arguments))
        sys.stdout.flush()
        return code
    except UsageError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except Exception:
        traceback.print_exc()
        print("error: this is a fault of the checker itself, please report it", file=sys.stderr)
        return OUR_FAULT
