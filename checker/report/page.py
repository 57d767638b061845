"""One judged record as one HTML page: no network, no server, the same bytes for the same record.

The text is made here, with Jinja2, and reads without a script; the diagram is drawn by the page's
own script from the data beside it.  Plots take matplotlib, without which the page says so.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Callable, Mapping, Sequence

from jinja2 import Environment, StrictUndefined, Template

from checker.check import Record
from checker.explain import headline
from checker.report.data import CALLS_MAX, Chosen, choose, clock, page_data, placed, since
from checker.report.faults import Band, Families, bands
from checker.report.graph import picture
from checker.report.marks import Mark, focus, marks, moments
from checker.report.plots import UNTIMED, plots
from checker.report.registers import Registers, packed
from checker.story import seconds
from checker.verdict import Verdict, word
from histories.value import show

SCRIPTS = ("read.js", "draw.js", "detail.js", "control.js")
NAMED = re.compile(r"(\b[Oo]p \d+)")
BYTES_MAX, LONG_BYTES_MAX = 2_600_000, 4_000_000    # of data; of more calls than a page has
CORE_MAX = 40       # calls of a core that are named, half of them the first ones
REASONS_MAX = 200   # why one call comes before another, where no graph says which are needed
ABOUT = ("name", "command", "versions", "plan")     # of a test, told elsewhere or too long


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a page may tell beside the record; all of it optional.

    `symbols` are the guest's functions by address; `families` the names of faults that belong
    together; `situations` a name, its meaning, and whether the run reached it; `commands` a few
    words and a command line each.  `registers` are those of some operations, `registers_note` says
    why there are none; `step` is the command that shows both machines at an instruction, which is
    added to it.
    """

    symbols: Mapping[str, int] = field(default_factory=dict)
    families: Families = field(default_factory=dict)
    situations: Sequence[tuple[str, str, bool]] = ()
    commands: Sequence[tuple[str, str]] = ()
    registers: Sequence[Registers] = ()
    registers_note: str = ""
    step: str = ""


def render(
    record: Record, verdict: Verdict, explanation: Sequence[str], facts: Facts = Facts()
) -> str:
    """The page; `explanation` is what `checker.explain` said, line by line."""
    unit, begin_ns, record = clock(record), since(record), placed(record)
    faults = bands(record.history, facts.families)
    marked = marks(record, verdict, explanation)
    told = moments(record, focus(record, marked, verdict, explanation), faults)

    def fill(chosen: Chosen) -> dict[str, Any]:
        data = page_data(record, chosen, marked, told, faults, verdict=verdict,
                         symbols=dict(facts.symbols), unit=unit, begin_ns=begin_ns)
        return {**data, "step": facts.step,
                "registers": packed(facts.registers, data["nodes"])}

    chosen, data = _fitting(record, marked, faults, fill)
    at: Callable[[int], str] = (lambda time_ns: seconds(begin_ns + time_ns)) if unit == "ns" \
        else "position {}".format
    orders, parameters = _orders(record, verdict), _parameters(record.test)
    sections = _sections(verdict.valid, orders=bool(orders), test=bool(parameters or faults))
    shown = {
        "word": word(verdict.valid), "title": _title(record, verdict),
        "explanation": [_linked(line) for line in explanation], "commands": facts.commands,
        "contents": sections, "clock": unit, "machines": len(record.trace) > 0,
        "moments": [{"at": at(each.time_ns), "what": each.what, "kind": each.kind}
                    for each in told],
        "held": [each for each in chosen.kept if each.total],
        "registers_note": facts.registers_note,
        "left_out": [each for each in chosen.kept if each.kept < each.total],
        "orders": orders, **_core(record, verdict),
        "checks": [(name, word(part.valid), part.why) for name, part in verdict.parts.items()],
        "plots": plots(record, faults, marked) if unit == "ns" else UNTIMED,
        "bands": [_band(band, at) for band in faults],
        "parameters": parameters, "situations": facts.situations,
        "data": data, "script": "\n".join(map(_file, SCRIPTS)),
        "style": _file("page.css"),
    }
    return _template().render(shown) + "\n"


def _fitting(
    record: Record, marked: Sequence[Mark], faults: Sequence[Band],
    fill: Callable[[Chosen], dict[str, Any]]
) -> tuple[Chosen, str]:
    """As much of a record as a page may hold, and the page's data as text."""
    long = len(record.history.calls()) > CALLS_MAX
    for eighths in (8, 6, 4, 3, 2, 1):
        chosen = choose(record, marked, faults, eighths)
        data = _embedded(fill(chosen))
        if len(data.encode()) <= (LONG_BYTES_MAX if long else BYTES_MAX):
            break
    return chosen, data


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                              lstrip_blocks=True)
    return environment.from_string(_file("template.html"))


def _file(name: str) -> str:
    return files("checker.report").joinpath(name).read_text(encoding="utf-8")


def _embedded(data: Mapping[str, Any]) -> str:
    """JSON that cannot end the element that it stands in."""
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")


def _title(record: Record, verdict: Verdict) -> str:
    said = headline(record.test, verdict, [])
    return said.split("  ", 1)[1].removesuffix(" ()")


def _sections(valid: bool | None, *, orders: bool, test: bool) -> list[tuple[str, str]]:
    """The sections, by their ids."""
    first = {False: "What is wrong", None: "What is unknown", True: "The verdict"}[valid]
    return [("why", first), ("happened", "What happened"),
            *([("orders", "Why no order")] if orders else []), ("checks", "Checks"),
            ("plots", "Plots"), *([("test", "The test")] if test else [])]


def _linked(line: str) -> list[tuple[str, int | None]]:
    """A line in pieces; those that name an op have its number."""
    return [(piece, int(piece[3:]) if NAMED.fullmatch(piece) else None)
            for piece in NAMED.split(line) if piece]


def _evidence(verdict: Verdict) -> Mapping[str, Any]:
    """The evidence of the first part that tells of orders."""
    return next((part.evidence for part in verdict.parts.values()
                 if part.valid is False and part.evidence.get("orders")), {})


def _orders(record: Record, verdict: Verdict) -> list[dict[str, Any]]:
    """The longest partial orders, call by call, with states where the evidence has them."""
    texts = {call.start: str(call) for call in record.history.calls()}
    found = []
    for order in _evidence(verdict).get("orders", []):
        states = order.get("states") or [None] * len(order["calls"])
        calls = [{"op": op, "text": texts.get(op, ""), "state": state}
                 for op, state in zip(order["calls"], states)]
        found.append({**order, "calls": calls})
    return found


def _core(record: Record, verdict: Verdict) -> dict[str, Any]:
    """The calls that contradict each other, and of which part of a divided history."""
    evidence = _evidence(verdict)
    named = set(evidence.get("core", []))
    core = [{"op": call.start, "process": call.process, "text": str(call)}
            for call in record.history.calls() if call.start in named]
    spared = max(0, len(core) - CORE_MAX)
    core[CORE_MAX // 2:CORE_MAX // 2 + spared] = []
    texts = {call.start: str(call) for call in record.history.calls()}
    circle, edges = evidence.get("circle", []), evidence.get("precedence", [])
    parts = f"They are orders of part {evidence['part']} alone." if "part" in evidence else ""
    return {"core": core, "core_size": len(core) + spared, "parts": parts,
            "smallest": bool(evidence.get("core_smallest")),
            "cycle": [{"op": before, "text": texts.get(before, ""), "why": _linked(why)}
                      for before, _, why in circle],
            **_precedence(circle, edges, texts)}


def _precedence(
    circle: Sequence[Any], edges: Sequence[Any], texts: Mapping[int, str]
) -> dict[str, Any]:
    """The graph of who must come before whom, and the reasons for its arrows."""
    if not edges:
        return {"graph": None, "reasons": [], "implied": 0}
    loop = [(before, after) for before, after, _ in circle]
    drawn = picture([(before, after) for before, after, _ in edges], loop, texts)
    up = [(before, after) for before, after, _ in edges if before > after]
    shown = list(dict.fromkeys([*drawn.arrows, *up])) if drawn.svg \
        else [(before, after) for before, after, _ in edges][:REASONS_MAX]
    why = {(before, after): why for before, after, why in [*edges, *circle]}
    return {"graph": drawn, "implied": len(edges) - len(shown), "reasons": [
        {"number": loop.index(pair) + 1 if pair in loop else "", "before": pair[0],
         "after": pair[1], "texts": [texts.get(op, "") for op in pair],
         "why": _linked(why[pair])} for pair in shown]}


def _band(band: Band, at: Any) -> dict[str, str]:
    end = "not healed" if band.end_ns is None else at(band.end_ns)
    return {"begin": at(band.start_ns), "end": end if band.end_ns != band.start_ns else "",
            "family": band.family, "what": band.what}


def _parameters(test: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was run, and with what."""
    plain = [(name.replace("_", " "), ", ".join(map(str, value)) if isinstance(value, list)
              else show(value) if isinstance(value, dict) else str(value))
             for name, value in test.items() if name not in ABOUT and value not in (None, [], "")]
    return plain + [(f"version of {name}", str(value))
                    for name, value in test.get("versions", {}).items()]
