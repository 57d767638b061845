"""A test: everything that decides a run, as one frozen value.

A run is a pure function of its Test: the same Test gives the same bytes of history and trace.  It
prints as the command line that runs it.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Mapping, Sequence, TypeVar

from harness.plan import Plan, fit, read
from harness.plan import from_json as plan_from_json
from histories import UsageError
from nemesis import NEMESES, SWARM, Nemesis, compose
from vmft.bugs import BUGS
from vmft.prng import Rng
from vmft.settings import DISK_READS, DISKS, Settings
from workloads import WORKLOADS, Workload

T = TypeVar("T")

SECOND_NS = 1_000_000_000
CLIENTS_MAX = 1000
RATE_HZ_MAX = 1_000_000
TIME_LIMIT_S_MAX = 100_000
SEED_MAX = (1 << 64) - 1


OPTIONS = {"clients": "--clients", "rate_hz": "--rate", "time_limit_s": "--time-limit",
           "timeout_ms": "--timeout", "disk": "--disk", "disk_reads": "--disk-reads",
           "system": "--system", "runtime": "--runtime", "fail_fast": "--fail-fast",
           "plan": "--plan"}


@dataclass(frozen=True, kw_only=True)
class Test:
    """What to run.

    `clients` processes call at `rate_hz` operations per second together for `time_limit_s`
    seconds of virtual time, while the families of `nemesis` strike; each call has `timeout_ms`.
    `disk` is "shared", or "local" when each host has its own; `disk_reads` says where a backup
    gets what was read: from the "log", or itself, as "backup".
    With `fail_fast` the run ends at the first answer that is no longer linearizable.
    A `plan` says explicitly which operations, or which faults, or both.
    """

    __test__: ClassVar[bool] = False    # for pytest: no class of test functions

    workload: str = "counter"
    nemesis: tuple[str, ...] = ()
    bugs: tuple[str, ...] = ()
    system: str = "vmft"
    runtime: str = "sim"
    seed: int = 1
    clients: int = 5
    rate_hz: int = 50
    time_limit_s: int = 30
    timeout_ms: int = 1000
    disk: str = "shared"
    disk_reads: str = "log"
    fail_fast: bool = False
    plan: Plan | None = None

    def __post_init__(self) -> None:
        choose(WORKLOADS, self.workload, "workload")
        for name in self.nemesis:
            choose({**NEMESES, SWARM: None}, name, "nemesis")
        for name in self.bugs:
            choose(BUGS, name, "bug")
        choose({"vmft": None}, self.system, "system")
        choose({"sim": None}, self.runtime, "runtime")
        choose(dict.fromkeys(DISKS), self.disk, "kind of disk")
        choose(dict.fromkeys(DISK_READS), self.disk_reads, "place of disk reads")
        if (self.disk, self.disk_reads) == ("local", "backup"):
            raise UsageError("disk reads are the backup's where the disk is shared, not local")
        within("seed", self.seed, 0, SEED_MAX)
        within("clients", self.clients, 1, CLIENTS_MAX)
        within("rate", self.rate_hz, 1, RATE_HZ_MAX)
        within("time limit", self.time_limit_s, 1, TIME_LIMIT_S_MAX)
        within("timeout", self.timeout_ms, 1, TIME_LIMIT_S_MAX * 1000)
        if type(self.fail_fast) is not bool:
            raise UsageError(f"fail fast is {self.fail_fast!r}, expected true or false")
        if self.plan is not None:
            fit(self.plan, self.workload_of(), self.nemeses(), self.clients)

    @property
    def name(self) -> str:
        """A name for the store: the workload, the faults and the bugs, and whether by a plan."""
        words = [self.workload, ",".join(self.nemesis) or "no-faults", *self.bugs]
        return "-".join(words if self.plan is None else [*words, "planned"])

    def settings(self) -> Settings:
        """How the pair is tuned."""
        return Settings(disk=self.disk, disk_reads=self.disk_reads)

    def workload_of(self) -> Workload:
        """The workload itself."""
        return WORKLOADS[self.workload]

    def nemeses(self) -> list[Nemesis]:
        """The fault families themselves; of a swarm, those that the seed draws."""
        named = [NEMESES[name] for name in self.nemesis if name != SWARM]
        if SWARM not in self.nemesis:
            return named
        drawn = compose(Rng(self.seed, SWARM), NEMESES)
        return named + [family for family in drawn if family not in named]

    def to_json(self) -> dict[str, Any]:
        """The test as JSON-able data."""
        data = {field.name: getattr(self, field.name) for field in fields(self)}
        plan = None if self.plan is None else self.plan.to_json()
        return {**data, "nemesis": list(self.nemesis), "bugs": list(self.bugs), "plan": plan}

    def command(self) -> str:
        """The command line that runs this test; what has its default value is left out.

        A plan too long for a command is named by its file in the store.
        """
        words = ["python", "-m", "checker", "run", "--workload", self.workload]
        if self.nemesis:
            words += ["--nemesis", ",".join(self.nemesis)]
        for bug in self.bugs:
            words += ["--bug", bug]
        words += ["--seed", str(self.seed)]
        for field in fields(self):
            option, value = OPTIONS.get(field.name), getattr(self, field.name)
            if option is not None and value != field.default:
                text = value.argument if isinstance(value, Plan) else str(value)
                words += [option] if value is True else [option, text]
        return shlex.join(words)


def from_json(data: Mapping[str, Any]) -> Test:
    """The test that test.json describes; what it says beyond a Test is ignored.

    UsageError when it describes none.
    """
    known = {field.name for field in fields(Test)}
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in data.items() if name in known}
    try:
        if given.get("plan") is not None:
            given["plan"] = plan_from_json(given["plan"])
        return Test(**given)
    except (TypeError, UsageError) as problem:
        raise UsageError(f"test.json: {problem}") from None


def from_fields(given: Mapping[str, Any], root: Path) -> Test:
    """The test with these fields as a person writes them: names also as one text with commas.

    A plan is JSON or its file, which may be in the store at `root`.  UsageError names the field
    that is wrong.
    """
    known = [field.name for field in fields(Test)]
    values = dict(given)
    for key in values:
        if key not in known:
            raise UsageError(f"unknown key {key!r}; there is {', '.join(known)}")
    for key in ("nemesis", "bugs"):
        if key in values:
            values[key] = _names(key, values[key])
    for key in ("workload", "system", "runtime", "disk", "disk_reads", "plan"):
        if key in values and not isinstance(values[key], str):
            raise UsageError(f"{key} is {values[key]!r}, expected a text")
    if "plan" in values:
        values["plan"] = read(values["plan"], root)
    return Test(**values)


def _names(key: str, value: Any) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, (list, tuple)) or not all(isinstance(each, str) for each in listed):
        raise UsageError(f"{key} is {value!r}, expected a name, or several")
    return names(",".join(listed))


def choose(table: Mapping[str, T], name: str, what: str) -> T:
    """The named thing, or a UsageError that lists what there is."""
    if name not in table:
        raise UsageError(f"unknown {what} {name!r}; there is {', '.join(sorted(table))}")
    return table[name]


def names(text: str | None) -> tuple[str, ...]:
    """The names in a list with commas; none of them twice."""
    parts: Sequence[str] = [part.strip() for part in (text or "").split(",") if part.strip()]
    return tuple(dict.fromkeys(part for part in parts if part != "none"))


def within(what: str, value: Any, low: int, high: int) -> None:
    """UsageError unless a value is a whole number between these two."""
    if type(value) is not int or not low <= value <= high:
        raise UsageError(f"{what} is {value!r}, expected a whole number from {low} to {high}")
