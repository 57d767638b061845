"""The reference: every name that the command line knows, from the code that knows it.

`python -m harness.reference` writes docs/reference.md; a test fails when it is stale.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from pathlib import Path
from typing import Iterable, Iterator, Sequence

from harness.case import EXIT_CODES
from harness.cli import INTERRUPTED, PIPE_CLOSED
from harness.commands import COMMANDS
from harness.coverage import MARKS
from harness.run import CHECKS
from harness.sweep import FAULTS
from nemesis import NEMESES
from vmft import control
from vmft import entry as log
from vmft.bugs import BUGS
from vmft.ports import PORTS, VECTORS
from workloads import WORKLOADS

PAGE = Path(__file__).parent.parent / "docs" / "reference.md"
HEAD = """\
# Reference

Made from the code by `python -m harness.reference`. Models and their calls: [the judge](judge.md).
"""
ENTRIES = {
    log.INPUT: "data reached a device from outside, after `at` instructions",
    log.INTERRUPT: "an interrupt was delivered, and with it the device's data",
    log.RESULT: "an instruction answered what cannot be computed: a clock, a random number",
    log.OUTPUT: "the guest sent something out, in the instruction that follows `at`",
    log.CONTROL: f"an order to the machine as a whole: {', '.join(control.ORDERS)}",
    log.DIGEST: "what registers, memory and devices amount to here",
}

OUTCOMES = {
    "invalid": "a check shows a contradiction",
    "crashed": "a defect of Double Eleven itself: a run broke off, or was not the same again",
    "refused": "an argument or a file is wrong",
    "unknown": "a check could not decide, and says why",
    "valid": "every check passed, and enough happened to mean something",
    "vacuous": "too little happened; among runs of a test that prove something it counts as valid",
}


def page() -> str:
    """The whole page."""
    parts = [HEAD, *commands(), *outcomes(), *workloads(), *nemeses(), *checkers(), *bugs(),
             *machine()]
    return "\n".join(parts)


def commands() -> Iterator[str]:
    """Each command with its arguments."""
    yield "## Commands\n\nEach is `python -m checker COMMAND`.\n"
    for name, load in COMMANDS.items():
        module = load()
        parser = argparse.ArgumentParser(prog=f"python -m checker {name}", add_help=False)
        module.arguments(parser)
        yield f"### {name}\n\n{_sentence(module.__doc__)}\n"
        yield table(("argument", "meaning"), [_argument(each) for each in parser._actions])


def _argument(action: argparse.Action) -> tuple[str, str]:
    """How an argument is written, and what it is."""
    values = action.metavar or (action.dest.upper() if action.nargs != 0 else "")
    names = ", ".join(action.option_strings)
    said = (action.help or "") % {"default": action.default}
    default = action.default
    if action.option_strings and default not in (None, False, [], ()) and "default" not in said:
        said = f"{said} (default: {default})".strip()
    return f"`{' '.join(part for part in (names, str(values)) if part)}`", said


def outcomes() -> Iterator[str]:
    """What a run or a file comes to, and the exit code of many."""
    yield ("## Outcomes\n\nOf many the worst decides, and they stand here the worst first. With "
           "`--json` a command that judges prints `command`, `valid` (true, false or "
           "\"unknown\"), `outcome`, `cases` and what is its own.\n")
    yield table(("outcome", "exit code", "meaning"), [
        (f"`{outcome}`", str(code), OUTCOMES[outcome]) for outcome, code in EXIT_CODES.items()])
    yield (f"{INTERRUPTED} is Ctrl-C, {PIPE_CLOSED} a reader that went away: no verdict, but what "
           "a shell makes of it.\n")


def workloads() -> Iterator[str]:
    """Each workload and the checks of its own."""
    yield "## Workloads\n"
    yield table(("workload", "meaning", "checks of its own"), [
        (f"`{name}`", each.meaning, ", ".join(each.checks)) for name, each in WORKLOADS.items()])


def nemeses() -> Iterator[str]:
    """Each family, its faults and what their values hold."""
    yield "## Nemeses\n\nJoined by commas; `swarm` draws some of them by the seed.\n"
    yield table(("nemesis", "meaning", "faults, for a plan"), [
        (f"`{name}`", each.meaning, "; ".join(
            f"`{f}`" + "".join(f", `{part}`: {parameter.expected}"
                               for part, parameter in kind.parameters.items())
            for f, kind in each.faults.items())) for name, each in NEMESES.items()])
    yield "### Faults to sweep with\n"
    yield table(("fault", "meaning"), [(f"`{n}`", each.meaning) for n, each in FAULTS.items()])
    yield "### Situations that a run may reach\n"
    yield table(("mark", "meaning"), [(f"`{name}`", text) for name, text in MARKS.items()])


def checkers() -> Iterator[str]:
    """Each check: what it is about is the first sentence of its module."""
    yield "## Checkers\n"
    own = {name: check for each in WORKLOADS.values() for name, check in each.checks.items()}
    rows = []
    for name, check in {**own, **CHECKS}.items():
        module = inspect.getmodule(check)
        told = check.__doc__ if name in own else module.__doc__ if module is not None else ""
        rows.append((f"`{name}`", _sentence(told)))
    yield table(("checker", "what it demands"), rows)


def bugs() -> Iterator[str]:
    """Each rule that can be switched off."""
    yield "## Bugs\n\nRules that can be switched off, off by default: `--bug NAME`.\n"
    yield table(("bug", "row", "meaning", "convicted by", "shows with"), [
        (f"`{name}`", bug.row, bug.meaning, ", ".join(bug.convicted_by),
         " ".join([bug.workload, ",".join(bug.nemesis)]).strip()) for name, bug in BUGS.items()])


def machine() -> Iterator[str]:
    """The log's entries, the ports and the interrupts."""
    yield "## Log entries\n"
    yield table(("code", "kind", "meaning"), [
        (str(code), f"`{log.KINDS[code]}`", meaning) for code, meaning in ENTRIES.items()])
    yield "## Ports\n\n32 bits each; in and out are as the guest sees them.\n"
    yield table(("port", "name", "", "meaning"), [
        (f"{port.number:#x}", f"`{name}`", port.direction, port.meaning)
        for name, port in PORTS.items()])
    yield "## Interrupts\n"
    yield table(("vector", "name"), [(f"{n:#x}", f"`{name}`") for name, n in VECTORS.items()])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n"
                   for line in lines)


def _sentence(text: str | None) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join((text or "").split("\n\n")[0].split())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE}: {len(page())} characters", file=sys.stderr)
