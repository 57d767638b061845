"""Hypothesis strategies: schedules and tests, to be used with @given in anybody's own tests.

    @given(schedules("counter", nemesis=("crash",)))
    def test_my_property(plan):
        record, verdict = rehearse(Test(nemesis=("crash",), plan=plan))
        assert verdict.valid is not False

The clients and the fault families draw from Hypothesis as they draw from a seed elsewhere, so
every choice of theirs shrinks, and a new workload or family needs no strategy of its own.
"""

from __future__ import annotations

from typing import Any, Sequence, TypeVar

from hypothesis import strategies as st

from harness.plan import HEAL, Plan, PlannedFault, PlannedOp
from harness.test import SEED_MAX, Test, choose
from histories import Op
from nemesis import NEMESES, SWARM
from workloads import WORKLOADS

T = TypeVar("T")

HOSTS = ("n1", "n2", "n3")
MILLISECOND_NS = 1_000_000
GAP_MS_MAX = 200
QUIET_MS = 3000             # between healing and the last operation
OPS_MAX, EPISODES_MAX = 20, 3


class Drawn:
    """The chance that clients and fault families draw from, drawn by Hypothesis."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw

    def below(self, bound: int) -> int:
        """An integer in [0, bound)."""
        return self.draw(st.integers(0, bound - 1))

    def between(self, low: int, high: int) -> int:
        """An integer in [low, high]."""
        return self.draw(st.integers(low, high))

    def chance(self, numerator: int, denominator: int) -> bool:
        """True in `numerator` of `denominator` cases."""
        return self.below(denominator) >= denominator - numerator

    def choice(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[self.below(len(items))]


@st.composite
def schedules(draw: st.DrawFn, workload: str = "counter", *, nemesis: Sequence[str] = (),
              clients: int = 3, ops_max: int = OPS_MAX,
              episodes_max: int = EPISODES_MAX) -> Plan:
    """Plans of up to so many operations of a workload, and episodes of these fault families.

    The faults are healed, and after a pause every client does its final operations.
    """
    ops = _operations(draw, workload, clients, ops_max)
    faults = _faults(draw, nemesis, episodes_max)
    end_ns = max([op.time_ns for op in ops] + [fault.time_ns for fault in faults], default=0)
    if faults:
        faults.append(PlannedFault(end_ns, HEAL))
        end_ns += QUIET_MS * MILLISECOND_NS
    for client in range(clients):
        for wanted in WORKLOADS[workload].final(client):
            end_ns += MILLISECOND_NS
            ops.append(PlannedOp(end_ns, client, wanted.f, wanted.value))
            break
    return Plan(ops=tuple(ops), faults=tuple(faults), end_ns=end_ns)


def _operations(draw: st.DrawFn, workload: str, clients: int, most: int) -> list[PlannedOp]:
    """What clients do, one operation after the other, with pauses between them."""
    chosen = choose(WORKLOADS, workload, "workload")
    generators = [chosen.ops(client, Drawn(draw)) for client in range(clients)]
    last: dict[int, Op] = {}
    ops, time_ns = [], 0
    for gap_ms, client in draw(st.lists(st.tuples(st.integers(0, GAP_MS_MAX),
                                                  st.integers(0, clients - 1)), max_size=most)):
        time_ns += gap_ms * MILLISECOND_NS
        wanted = generators[client].send(last.get(client))  # type: ignore[arg-type]
        last[client] = Op(client, "info", wanted.f, wanted.value, time_ns)
        ops.append(PlannedOp(time_ns, client, wanted.f, wanted.value))
    return ops


def _faults(draw: st.DrawFn, nemesis: Sequence[str], most: int) -> list[PlannedFault]:
    """Episodes of the families, each begun some time after the one before began."""
    families = [choose(NEMESES, name, "nemesis") for name in nemesis]
    if not families:
        return []
    faults: list[PlannedFault] = []
    start_ns = 0
    for gap_ms, which in draw(st.lists(st.tuples(st.integers(0, 10 * GAP_MS_MAX),
                                                 st.integers(0, len(families) - 1)),
                                       max_size=most)):
        start_ns += gap_ms * MILLISECOND_NS
        faults += [PlannedFault(start_ns + fault.delay_ns, fault.f, fault.value)
                   for fault in families[which].episode(Drawn(draw), HOSTS)]
    return sorted(faults, key=lambda fault: fault.time_ns)


def drawn_tests(**fixed: Any) -> st.SearchStrategy[Test]:
    """Tests with these parts fixed and the others drawn; small ones, as many are to be run."""
    drawn: dict[str, st.SearchStrategy[Any]] = {
        "workload": st.sampled_from(sorted(WORKLOADS)),
        "nemesis": st.lists(st.sampled_from([*sorted(NEMESES), SWARM]), unique=True,
                            max_size=3).map(tuple),
        "seed": st.integers(0, SEED_MAX),
        "clients": st.integers(1, 8),
        "rate_hz": st.integers(1, 200),
        "time_limit_s": st.integers(1, 10),
    }
    given = {name: st.just(value) for name, value in fixed.items()}
    return st.builds(Test, **{**drawn, **given})
