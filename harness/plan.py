"""A plan: the operations and the faults of a run as explicit data, beside those drawn by chance.

A test draws both from its seed.  A plan replaces either or both: a sweep states one fault and
leaves the clients to chance, a shrunk run states everything.  Explicit operations are all there
are: no healing, pause or final operations follow them unless the plan says so.

As JSON: {"ops": [[time_ns, client, f, value], ...], "faults": [[time_ns, f, value], ...],
"end_ns": n}, and what is left out is drawn.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any, Callable, Iterator, NamedTuple

from histories import NEMESIS, History, UsageError
from histories.jsonl import load_bytes
from histories.store import keep
from nemesis import Nemesis, problem
from vmft.sim import HOST_NAMES
from workloads.workload import Client, Invocation, Workload, wait

HEAL = "heal"                   # the fault that undoes all faults
STEPS_MAX = 1_000_000
TIME_NS_MAX = 1 << 60
INLINE_CHARACTERS_MAX = 4000    # a longer plan is named by its file in a command
PLANS = "plans"                 # the folder of those files in the store


class PlannedOp(NamedTuple):
    """What a client calls, no earlier than `time_ns` and not before its previous call ended."""

    time_ns: int
    client: int
    f: str
    value: Any = None


class PlannedFault(NamedTuple):
    """What a nemesis does, and when."""

    time_ns: int
    f: str
    value: Any = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Operations and faults in order of time; None leaves them to chance.

    New operations and faults end at `end_ns` of virtual time, or with the test's time limit.
    """

    ops: tuple[PlannedOp, ...] | None = None
    faults: tuple[PlannedFault, ...] | None = None
    end_ns: int | None = None

    def __str__(self) -> str:
        return json.dumps(self.to_json(), separators=(",", ":"))

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON-able data, in the form of this module's docstring."""
        parts = {"ops": self.ops, "faults": self.faults}
        data: dict[str, Any] = {name: [list(step) for step in steps]
                                for name, steps in parts.items() if steps is not None}
        return data if self.end_ns is None else {**data, "end_ns": self.end_ns}

    @property
    def argument(self) -> str:
        """What follows --plan: the plan itself, or the file of a long one, named by its content."""
        text = str(self)
        if len(text) <= INLINE_CHARACTERS_MAX:
            return text
        return f"{PLANS}/{sha256(text.encode()).hexdigest()[:16]}.json"

    def store(self, root: Path) -> None:
        """Put the file of a long plan below `root`, where a command will look for it."""
        if self.argument != str(self):
            keep(root / self.argument, self.to_json())


def from_json(data: Any) -> Plan:
    """The plan of this JSON; UsageError says which step is wrong, and how."""
    if not isinstance(data, dict) or set(data) - {"ops", "faults", "end_ns"}:
        raise UsageError("plan: expected an object with ops, faults or end_ns")
    end_ns = data.get("end_ns")
    if end_ns is not None and not _is_time(end_ns):
        raise UsageError(f"plan: end_ns is {end_ns!r}, expected a number of nanoseconds")
    ops, faults = data.get("ops"), data.get("faults")
    return Plan(ops=None if ops is None else _steps("ops", ops, PlannedOp),
                faults=None if faults is None else _steps("faults", faults, PlannedFault),
                end_ns=end_ns)


def _steps(name: str, rows: Any, kind: Callable[..., Any]) -> Any:
    """The steps of a part of a plan, checked for their shape and their order."""
    if not isinstance(rows, list) or len(rows) > STEPS_MAX:
        raise UsageError(f"plan: {name}: expected a list of at most {STEPS_MAX} steps")
    try:
        steps = tuple(kind(*row) for row in rows)
    except TypeError:
        raise UsageError(f"plan: {name}: expected [time_ns, {'client, ' * (name == 'ops')}f, "
                         "value] each") from None
    for number, step in enumerate(steps):
        who = getattr(step, "client", 0)
        if not _is_time(step.time_ns) or type(who) is not int or type(step.f) is not str:
            raise UsageError(f"plan: {name}[{number}] is {list(step)}: expected a time in ns"
                             f"{', a client, ' * (name == 'ops') or ' and '}a name")
    if any(one.time_ns > other.time_ns for one, other in pairwise(steps)):
        raise UsageError(f"plan: {name} are not in order of time")
    return steps


def _is_time(value: Any) -> bool:
    return type(value) is int and 0 <= value <= TIME_NS_MAX


def read(text: str, root: Path) -> Plan:
    """The plan of an argument: JSON itself, or a file with a plan or with a test that has one.

    A file that is not there is looked for in the store at `root`.  UsageError says what is wrong.
    """
    where = "--plan" if text.lstrip().startswith("{") else text
    try:
        data = json.loads(text if where == "--plan" else load_bytes(_found(text, root)))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where}: not JSON: {error}") from None
    if isinstance(data, dict) and "workload" in data:
        data = data.get("plan")
    return from_json(data)


def _found(name: str, root: Path) -> Path:
    return root / name if (root / name).is_file() and not Path(name).is_file() else Path(name)


def fit(plan: Plan, workload: Workload, families: list[Nemesis], clients: int) -> None:
    """UsageError unless the workload knows every operation, and a family every fault."""
    _fit_faults(plan, families)
    for number, op in enumerate(plan.ops or ()):
        if not 0 <= op.client < clients:
            raise UsageError(f"plan: ops[{number}]: there is no client {op.client} of {clients}")
        try:
            workload.encode(op.f, op.value)
        except Exception as error:    # whatever a stranger's encoder raises on a stranger's op
            raise UsageError(f"plan: ops[{number}]: the workload cannot say {op.f} {op.value!r} "
                             f"({type(error).__name__}: {error})") from None


def _fit_faults(plan: Plan, families: list[Nemesis]) -> None:
    known = {f: kind.parameters for family in families for f, kind in family.faults.items()}
    known[HEAL] = {}
    for number, fault in enumerate(plan.faults or ()):
        if fault.f not in known:
            raise UsageError(f"plan: faults[{number}]: the test's nemeses know no {fault.f!r}; "
                             f"there is {', '.join(sorted(known))}")
        wrong = problem(fault.value, known[fault.f], HOST_NAMES)
        if wrong is not None:
            raise UsageError(f"plan: faults[{number}]: {fault.f}: {wrong}")


def planned(history: History, clients: int) -> Plan:
    """The plan by which a run of `clients` clients repeats itself: all that was done, explicit."""
    ops = [PlannedOp(op.time, int(op.process) % clients, op.f, op.value)
           for op in history if op.type == "invoke"]
    faults = [PlannedFault(op.time, op.f, None if op.f == HEAL else op.value)
              for op in history if op.process == NEMESIS
              and (op.f == HEAL or not (isinstance(op.value, dict) and "effect" in op.value))]
    end_ns = max((op.time for op in history), default=0)
    return Plan(ops=tuple(ops), faults=tuple(faults), end_ns=end_ns)


def follow(ops: Iterator[PlannedOp]) -> Client:
    """The client that does these operations; another may go on with the same iterator."""
    now_ns = (yield wait()).time
    for op in ops:
        done = yield Invocation(op.f, op.value, after_ns=max(0, op.time_ns - now_ns))
        now_ns = done.time
