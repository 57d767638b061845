"""The quiet phase: who owes an answer after healing, and whose service may be over."""

from __future__ import annotations

from typing import Any

import pytest

from checker.check import Recorded
from checker.quiet import RECOVERED_NS_MAX, quiet, recoverable
from harness import drive
from harness.plan import HEAL, Plan, PlannedFault
from harness.run import rehearse
from harness.test import Test as Run
from histories import NEMESIS, History, Op, Trace

HEALED_NS = 1_000_000_000


def fault(f: str, value: Any, effect: dict[str, Any]) -> list[Op]:
    """A fault as planned and as done."""
    return [Op(NEMESIS, "info", f, value, 5, 0),
            Op(NEMESIS, "info", f, {"start": 0, "effect": effect}, 5, 1)]


def judged(start_ns: int, outcome: str, faults: list[Op] | None = None, *,
           healed: bool = True) -> bool | None:
    """The verdict on one call, begun so long after the healing."""
    ops = list(faults or [])
    if healed:
        ops.append(Op(NEMESIS, "info", HEAL, {"effect": {"healed": "all"}}, HEALED_NS, 2))
    ops += [Op(0, "invoke", "inc", None, HEALED_NS + start_ns, 3),
            Op(0, outcome, "inc", 1, HEALED_NS + start_ns + 9, 4)]
    return quiet(Recorded({}, History(ops), Trace())).valid


def test_a_call_well_after_the_healing_must_be_answered() -> None:
    """Refused is answered; before the bound nothing is owed."""
    assert judged(RECOVERED_NS_MAX, "info") is False
    assert judged(RECOVERED_NS_MAX - 1, "info") is True
    assert judged(RECOVERED_NS_MAX, "ok") is judged(RECOVERED_NS_MAX, "fail") is True
    assert judged(RECOVERED_NS_MAX, "info", healed=False) is True
    assert drive.SETTLE_NS >= RECOVERED_NS_MAX, "so the final operations are owed an answer"


@pytest.mark.parametrize("faults, over", [
    ([], None),
    (fault("order", {"order": "power-off"}, {"told": ["n1"]}), "switched off"),
    (fault("order", {"order": "power-off"}, {"nothing": "nobody is live"}), None),
    (fault("order", {"order": "failover"}, {"told": ["n1"]}), None),
    (fault("crash", None, {"crashed": "n1", "role": "primary"}), None),
    (fault("crash", None, {"crashed": "n1", "role": "backup"}), None),
    (fault("crash", None, {"crashed": "n1", "role": "alone"}), "n1 died"),
    (fault("crash", None, {"crashed": "n1", "role": "contending"}), "n1 died"),
    (fault("crash", None, {"nothing": "no second host could take over"}), None),
    (fault("cut", {"links": []}, {"cut": []}), None),
    (fault("lose-host", None, {"died": {"n1": "primary"}, "for_good": True}), None),
    (fault("lose-host", None, {"died": {"n1": "winner"}, "for_good": True}), "n1 died"),
    (fault("crash-both", None, {"died": {"n1": "primary", "n2": "backup"}}), "n1 and n2 died"),
    (fault("crash-both", None, {"died": {"n1": "superseded", "n2": "backup"},
                                "copies_left": 0}), "no copy was left"),
    (fault("strike-at", None, {"crashed": "n2", "role": "backup", "copies_left": 1}), None),
    (fault("strike-at", None, {"crashed": "n2", "role": "backup", "copies_left": 0}), "n2 died"),
    (fault("crash-service", None, {"died": {"disk": "service"}}), None),
    (fault("lose-all", None, {"died": {"disk": "up"}, "for_good": True}), "the disk was lost"),
    (fault("lose-all", None, {"died": {"cluster": "up"}, "for_good": True}), None),
    (fault("pause", None, {"paused": {"n1": "alone"}}), None),
])
def test_service_may_be_over_for_few_reasons(faults: list[Op], over: str | None) -> None:
    """Each named; then no answer is owed."""
    why = recoverable(faults)
    assert why is None if over is None else why is not None and over in why
    assert judged(RECOVERED_NS_MAX, "info", faults) is (over is not None)


def test_a_cut_that_is_never_joined_is_found() -> None:
    """If healing forgot it."""
    links = [["clients", "n1"], ["clients", "n2"], ["clients", "n3"]]
    test = Run(nemesis=("partition",), time_limit_s=1, rate_hz=10, clients=2,
               plan=Plan(faults=(PlannedFault(500_000_000, "cut", {"links": links}),)))
    assert rehearse(test)[1].parts["quiet"].valid is True
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drive, "heal", lambda families, system: None)
        assert rehearse(test)[1].parts["quiet"].valid is False
