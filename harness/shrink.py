"""A smaller run that fails in the same way: operations, faults and timing, by running again.

Delta debugging (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", IEEE
TSE 28(2), 2002): leave out large pieces first, then smaller ones, as long as the failure stays.
What counts as the failure is its signature, so a candidate that fails otherwise is no progress.
Before that comes what makes every further run short: nothing after the conviction is needed, and
seldom what came long before the first fault.

Candidates are tried in a fixed order and the first that fails in the same way is taken, so the
result does not depend on how many are tried at once.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import replace
from typing import Any, Callable, Iterable, Iterator, NamedTuple, Sequence, TypeVar

from harness.failure import Signature, find
from harness.plan import HEAL, Plan, PlannedFault
from harness.test import Test
from harness.workers import answers
from histories import UsageError
from nemesis import NEMESES

T = TypeVar("T")

RUNS_MAX = 2000
MILLISECOND_NS = 1_000_000
MARGINS_NS = (0, MILLISECOND_NS, 10 * MILLISECOND_NS, 100 * MILLISECOND_NS,
              1000 * MILLISECOND_NS, 5000 * MILLISECOND_NS)
SEEDS = range(1, 9)
DIVISORS = (1_000_000, 1000, 10, 2)
LARGE = 16              # pieces into which what is left out first is cut at most
LONG_NS = 200 * MILLISECOND_NS
GAPS_NS = (0, MILLISECOND_NS, 10 * MILLISECOND_NS, 100 * MILLISECOND_NS, 500 * MILLISECOND_NS)

Candidates = Iterable[Test]


class Progress(NamedTuple):
    """How far shrinking has come."""

    runs: int
    operations: int
    faults: int
    end_ns: int


class Shrinker:
    """Searches below `test`, whose plan is explicit and which fails with `signature`."""

    def __init__(self, test: Test, signature: Signature, executor: Executor, *,
                 runs_max: int = RUNS_MAX,
                 tell: Callable[[Progress], None] = lambda _: None) -> None:
        self.best = test
        self.signature = signature
        self.executor = executor
        self.runs_max = runs_max
        self.tell = tell
        self.runs = 0
        self.decided_ns: int | None = None      # in the best run, when it had failed
        self._tried: set[str] = set()

    @property
    def plan(self) -> Plan:
        """The smallest plan so far."""
        assert self.best.plan is not None
        return self.best.plan

    @property
    def ended(self) -> bool:
        """Whether the bound on runs has been reached."""
        return self.runs >= self.runs_max

    def shrink(self) -> Test:
        """The smallest test found, when nothing smaller fails in the same way, or at the bound."""
        if not self._try([self.best]):
            return self.best
        self._try([self._with(ops=())])
        while not self.ended:
            before = self.best
            self._coarsely()
            if self.best == before and not self._reseed("faults"):
                self._finely()
                if self.best == before and not self._reseed("ops"):
                    break
        return self.best

    def _coarsely(self) -> None:
        """What makes every further run much shorter: no small steps while large ones are left."""
        self._cut()
        self._leave_out("faults")
        self._cut()
        self._leave_out("ops", len(self.plan.ops or ()) // LARGE)
        self._gaps(LONG_NS)

    def _finely(self) -> None:
        """One by one."""
        self._leave_out("ops")
        self._values()
        self._gaps()
        self._rest()

    def _try(self, candidates: Candidates) -> bool:
        """Take the first candidate that fails in the same way; answers whether there was one."""
        if self.ended:
            return False
        fresh = (each for each in candidates if _key(each) not in self._tried)
        for candidate, finding in answers(self.executor, find, fresh):
            self.runs += 1
            self._tried.add(_key(candidate))
            same = finding.signature == self.signature
            if same:
                self.best, self.decided_ns = candidate, finding.decided_ns
            self._tell()
            if same:
                return True
            if self.ended:
                break
        return False

    def _tell(self) -> None:
        plan = self.plan
        self.tell(Progress(self.runs, len(plan.ops or ()), len(plan.faults or ()),
                           plan.end_ns or 0))

    def _with(self, **parts: Any) -> Test:
        return replace(self.best, plan=replace(self.plan, **parts))

    # Passes

    def _cut(self) -> None:
        """Nothing long after the conviction, nothing long before the first fault."""
        if self.decided_ns is not None:
            self._try(replace(self.best, plan=_before(self.plan, self.decided_ns + 1 + margin_ns))
                      for margin_ns in MARGINS_NS
                      if self.decided_ns + 1 + margin_ns < (self.plan.end_ns or 0))
        first_ns = min((fault.time_ns for fault in self.plan.faults or ()),
                       default=self.decided_ns or 0)
        self._try(replace(self.best, plan=_after(self.plan, first_ns - margin_ns))
                  for margin_ns in MARGINS_NS if margin_ns < first_ns)

    def _leave_out(self, part: str, least: int = 1) -> None:
        """Operations, or faults: in pieces of all, of half, of a quarter, ... of the least."""
        piece = len(getattr(self.plan, part))
        while piece >= max(1, least):
            steps = getattr(self.plan, part)
            if not self._try(self._with(**{part: rest}) for rest in without(steps, piece)):
                piece //= 2

    def _values(self) -> None:
        """Fewer links to a cut, a smaller delay, and whatever else is in a fault's value."""
        for number, fault in enumerate(self.plan.faults or ()):
            while self._try(self._with_simpler(number)):
                pass

    def _with_simpler(self, number: int) -> Iterator[Test]:
        """The test with this fault simpler, as far as its family allows."""
        faults = self.plan.faults or ()
        for simpler in _simpler(faults[number]):
            try:
                yield self._with(faults=_put(faults, number, simpler))
            except UsageError:
                continue

    def _gaps(self, least_ns: int = 0) -> None:
        """Each pause of some length between two steps as short as can be, then on whole
        milliseconds.
        """
        place = 0
        while place < len(_times(self.plan)):
            before_ns, time_ns = [0, *_times(self.plan)][place:place + 2]
            gap_ns = time_ns - before_ns
            if gap_ns < least_ns:
                place += 1
                continue
            self._try(replace(self.best, plan=_shift(self.plan, time_ns, gap_ns - shorter_ns))
                      for shorter_ns in (*GAPS_NS, gap_ns // 2)
                      if shorter_ns + MILLISECOND_NS <= gap_ns)
            place += 1
        self._try([replace(self.best, plan=_rounded(self.plan))])

    def _rest(self) -> None:
        """Fewer clients, families and bugs; nothing that a plan makes meaningless."""
        used = {fault.f for fault in self.plan.faults or ()}
        families = tuple({next(name for name, family in NEMESES.items() if f in family.faults):
                          None for f in sorted(used - {HEAL})})
        self._try([replace(self.best, nemesis=families)])
        clients = sorted({op.client for op in self.plan.ops or ()})
        ops = tuple(op._replace(client=clients.index(op.client)) for op in self.plan.ops or ())
        self._try([replace(self.best, clients=max(1, len(clients)),
                           plan=replace(self.plan, ops=ops))])
        for bug in self.best.bugs:
            self._try([replace(self.best, bugs=tuple(b for b in self.best.bugs if b != bug))])

    def _reseed(self, part: str) -> bool:
        """One or two steps fewer, at another pace of the network: races are decided by it."""
        fewer = [self._with(**{part: rest}) for piece in (2, 1)
                 for rest in without(getattr(self.plan, part), piece)]
        return self._try(replace(each, seed=seed) for each in fewer for seed in SEEDS)


def without(items: Sequence[T], piece: int) -> Iterator[tuple[T, ...]]:
    """The items without their last `piece`, without those before them, and so on."""
    for end in range(len(items), 0, -piece):
        yield (*items[:max(0, end - piece)], *items[end:])


def _key(test: Test) -> str:
    return f"{test.nemesis} {test.bugs} {test.clients} {test.seed} {test.plan}"


def _times(plan: Plan) -> list[int]:
    """The moments of a plan, its end included."""
    moments = {op.time_ns for op in plan.ops or ()} | {
        fault.time_ns for fault in plan.faults or ()}
    return sorted(moments | {plan.end_ns or 0})


def _before(plan: Plan, end_ns: int) -> Plan:
    """The plan up to a moment."""
    return Plan(ops=tuple(op for op in plan.ops or () if op.time_ns < end_ns),
                faults=tuple(fault for fault in plan.faults or () if fault.time_ns < end_ns),
                end_ns=end_ns)


def _after(plan: Plan, start_ns: int) -> Plan:
    """The plan from a moment on, as if it were the beginning."""
    return _shift(Plan(
        ops=tuple(op for op in plan.ops or () if op.time_ns >= start_ns),
        faults=tuple(fault for fault in plan.faults or () if fault.time_ns >= start_ns),
        end_ns=plan.end_ns), start_ns, start_ns)


def _shift(plan: Plan, from_ns: int, by_ns: int) -> Plan:
    """Everything from a moment on that much earlier."""
    return _timed(plan, lambda time_ns: time_ns - by_ns * (time_ns >= from_ns))


def _rounded(plan: Plan) -> Plan:
    """Every step on the next whole millisecond."""
    return _timed(plan, lambda time_ns: -(-time_ns // MILLISECOND_NS) * MILLISECOND_NS)


def _timed(plan: Plan, moved: Callable[[int], int]) -> Plan:
    return Plan(
        ops=tuple(op._replace(time_ns=moved(op.time_ns)) for op in plan.ops or ()),
        faults=tuple(fault._replace(time_ns=moved(fault.time_ns)) for fault in plan.faults or ()),
        end_ns=moved(plan.end_ns or 0))


def _put(faults: Sequence[PlannedFault], number: int,
         fault: PlannedFault) -> tuple[PlannedFault, ...]:
    return (*faults[:number], fault, *faults[number + 1:])


def _simpler(fault: PlannedFault) -> Iterator[PlannedFault]:
    """The fault with a shorter list or a smaller number in its value, the simplest first."""
    if not isinstance(fault.value, dict):
        return
    for key, held in fault.value.items():
        for simpler in _shorter(held) if isinstance(held, list) else _smaller(held):
            yield fault._replace(value={**fault.value, key: simpler})


def _shorter(items: list[Any]) -> Iterator[list[Any]]:
    piece = len(items)
    while (piece := piece // 2) > 0:
        for rest in without(items, piece):
            yield list(rest)


def _smaller(number: Any) -> Iterator[int]:
    """Towards 1; what is no number has nothing smaller."""
    if type(number) is int:
        for divisor in DIVISORS:
            if 0 < number // divisor:
                yield number // divisor


def explicit(test: Test, plan: Plan) -> Test:
    """The test by this plan; what a plan makes meaningless has its default."""
    default = Test()
    families = tuple(family.name for family in test.nemeses())
    return replace(test, plan=plan, nemesis=families, rate_hz=default.rate_hz,
                   time_limit_s=default.time_limit_s)
