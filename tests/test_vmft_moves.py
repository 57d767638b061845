"""Either side of a pair moves to another host, whatever goes wrong meanwhile."""

from __future__ import annotations

from typing import Any, Callable

import pytest
from scenario import Pair

from vmft.primary import Primary
from vmft.replica import Replica
from vmft.settings import MILLISECOND_NS

KEYS = 16
MOVING_MS, HEALED_MS, RESTORED_MS = 20, 1800, 2500
STEP_NS = 50_000
HOSTS = ("n1", "n2", "n3", "n4")
MOVES = {"move-primary": ("n1", "n2"), "move-backup": ("n2", "n1")}    # old host, the other side
PHASES = ("move", "quiesce", "hand-over", "moved")

Fault = Callable[[Pair, str, str], None]


def busy(milliseconds: int) -> Pair:
    """A pair whose disk has always something to do."""
    pair = Pair(hosts=len(HOSTS), workload="kv")
    pair.run(20)
    append(pair, milliseconds)
    return pair


def append(pair: Pair, milliseconds: int) -> None:
    """Two changes in each millisecond, none of which waits for the other."""
    end_ns = pair.sim.now_ns + milliseconds * MILLISECOND_NS
    while pair.sim.now_ns < end_ns:
        number = len(pair.ops)
        pair.call("append", [number % KEYS, f"{number % 100} "])
        pair.until(pair.sim.now_ns + MILLISECOND_NS // 2)


def until(pair: Pair, phase: str) -> None:
    """To the moment at which a move gets to a phase."""
    while not pair.events(phase):
        pair.until(pair.sim.now_ns + STEP_NS)


def live(pair: Pair) -> Replica:
    """The host of the one primary."""
    replica, = (each for each in pair.sim.replicas.values() if each.status == "primary")
    return replica


def slowest_ns(pair: Pair) -> int:
    """The longest that any answer took."""
    return max(op.time - pair.ops[int(op.process)].time for op in pair.ops if op.type == "ok")


def check(pair: Pair) -> None:
    """One primary, one backup, both serving; every rule holds."""
    roles = sorted(pair.sim.roles().values())
    assert roles.count("primary") == roles.count("backup") == 1, roles
    number = pair.call("get", [1, None])
    pair.run(50)
    assert pair.answers[number] and pair.broken() == []


@pytest.mark.parametrize("order", MOVES)
def test_a_side_of_a_busy_pair_moves(order: str) -> None:
    """F4: disk operations are quiesced, nothing is lost or done twice, and nobody suspects."""
    old, other = MOVES[order]
    pair = busy(20)
    pair.sim.administer(order, 3)
    until(pair, "move")
    role = live(pair).role
    assert isinstance(role, Primary) and role.recorder.machine.devices.disk.pending
    until(pair, "moved")
    append(pair, MOVING_MS)
    hand_over, = pair.events("hand-over", old)
    assert hand_over.data["stun_ns"] < 5 * MILLISECOND_NS
    assert pair.role(old) == "spare" and pair.events("peer-moved", other)
    assert not pair.events("suspect") and not pair.events("live")
    pair.run(20)
    unanswered = [number for number, found in pair.answers.items() if not found]
    arrived = [event.data["request"] for event in pair.events("log") if "request" in event.data]
    assert not set(unanswered) & set(arrived), "what was lost never reached the guest"
    assert len(unanswered) <= 10
    assert slowest_ns(pair) < 8 * MILLISECOND_NS, "no answer waits for what was lost in the move"
    check(pair)


@pytest.mark.parametrize("order", MOVES)
def test_a_pair_that_has_moved_survives_a_failure(order: str) -> None:
    """F4: redundancy goes on meaning what it says, on either side's new host."""
    for victim in ("n3", MOVES[order][1]):
        pair = busy(5)
        pair.sim.administer(order, 3)
        until(pair, "moved")
        append(pair, 5)
        pair.crash(victim)
        pair.run(RESTORED_MS)
        assert len(pair.events("live")) == 1
        check(pair)


@pytest.mark.parametrize("workload, f, value", [("load", "write", [50, 8]), ("spin", "draw", 1)])
@pytest.mark.parametrize("order", MOVES)
def test_a_guest_that_only_uses_its_disk_moves(
        order: str, workload: str, f: str, value: Any) -> None:
    """F4: eight operations at once, all the time; or a guest that spins until its read is here."""
    pair = Pair(hosts=3, workload=workload)
    pair.run(20)
    pair.sim.administer(order, 3)
    for _ in range(10):
        pair.call(f, value)
        pair.until(pair.sim.now_ns + MILLISECOND_NS // 4)
    pair.run(300)
    issued = len(pair.events("complete"))
    assert issued >= 5 and pair.events("moved", "n3")
    number = pair.call(f, value)
    pair.run(60)
    assert pair.answers[number] and len(pair.events("complete")) > issued
    assert pair.broken() == []


@pytest.mark.parametrize("order", MOVES)
def test_every_side_can_move_again_and_again(order: str) -> None:
    """F4: there and back, from host to host; moves are numbered through a generation."""
    pair = busy(5)
    for count, host in enumerate((3, 4, 3, 4), 1):
        pair.sim.administer(order, host)
        append(pair, MOVING_MS)
        assert pair.role(f"n{host}") == order.removeprefix("move-")
        assert len(pair.events("moved")) == count
    other = ({"move-primary", "move-backup"} - {order}).pop()
    pair.sim.administer(other, 3)
    append(pair, MOVING_MS)
    assert pair.role("n3") == other.removeprefix("move-") and not pair.events("suspect")
    check(pair)


def test_a_primary_that_hands_over_stands_still_wherever_it_is() -> None:
    """F4, F6: moved meanwhile, it makes no entries that its slow backup would have to execute."""
    pair = busy(5)
    pair.sim.slow("n2", 100_000)
    pair.sim.administer("failover")
    pair.sim.administer("move-primary", 3)
    until(pair, "moved")
    position = pair.position("n3")
    pair.run(15)
    assert pair.position("n3") == position and not pair.events("suspect")
    pair.sim.slow("n2", 1)
    pair.run(RESTORED_MS)
    assert pair.role("n2") == "primary"
    check(pair)


@pytest.mark.parametrize("host", [1, 2, 9])
def test_an_order_that_makes_no_sense_is_refused(host: int) -> None:
    """To where the pair is already, nothing moves; to where nobody is, the move is given up."""
    pair = busy(5)
    pair.sim.administer("move-primary", host)
    append(pair, 5)
    pair.run(HEALED_MS)
    assert not pair.events("moved")
    refused = [event for event in pair.events("order") if "refused" in event.data["why"]]
    assert bool(refused) == (host <= 2) and bool(pair.events("move-failed")) == (host == 9)
    check(pair)


# Faults

def everywhere(pair: Pair, change: Callable[..., object], *arguments: int) -> None:
    """Change every link."""
    for link in pair.sim.links():
        change(link, *arguments)


FAULTS: dict[str, Fault] = {
    "the new host crashes": lambda pair, old, other: pair.crash("n3"),
    "the old host crashes": lambda pair, old, other: pair.crash(old),
    "the other side crashes": lambda pair, old, other: pair.crash(other),
    "old and new lose each other": lambda pair, old, other: pair.cut(f"{old}--n3"),
    "the handover is lost": lambda pair, old, other: pair.cut(f"{old}->n3"),
    "its answer is lost": lambda pair, old, other: pair.cut(f"n3->{old}"),
    "new and other lose each other": lambda pair, old, other: pair.cut(f"n3--{other}"),
    "the disk is unreachable": lambda pair, old, other: pair.cut(*(f"{h}--disk" for h in HOSTS)),
    "the disk does not hear": lambda pair, old, other: pair.cut("n3->disk"),
    "the disk is not heard": lambda pair, old, other: pair.cut("disk->n3"),
    "the new host is cut off": lambda pair, old, other: pair.cut(
        *(f"n3--{name}" for name in ("n1", "n2", "n4", "disk", "clients", "cluster"))),
    "the log is lossy": lambda pair, old, other: everywhere(pair, pair.sim.lose, 1, 2),
    "everything is late": lambda pair, old, other: everywhere(
        pair, pair.sim.delay, 20 * MILLISECOND_NS),
}


def healed(pair: Pair) -> None:
    """Every link is as it was."""
    pair.sim.join(pair.sim.links())
    everywhere(pair, pair.sim.keep)
    everywhere(pair, pair.sim.delay, 0)


def struck(order: str, fault: str, phase: str, after_ns: int = 0) -> Pair:
    """A move during which a fault strikes, for a while; then everything is well again."""
    pair = busy(5)
    pair.sim.administer(order, 3)
    until(pair, phase)
    pair.until(pair.sim.now_ns + after_ns)
    FAULTS[fault](pair, *MOVES[order])
    append(pair, MOVING_MS)
    pair.run(HEALED_MS)
    healed(pair)
    pair.run(RESTORED_MS)
    append(pair, 5)
    pair.run(RESTORED_MS - HEALED_MS)
    return pair


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("order", MOVES)
def test_a_fault_at_the_handover_loses_nothing(order: str, fault: str) -> None:
    """F4: one host owns each side afterwards, and there is a pair again."""
    check(struck(order, fault, "hand-over"))


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("order", MOVES)
@pytest.mark.parametrize("phase", PHASES)
def test_a_fault_at_any_moment_of_a_move_loses_nothing(
        order: str, fault: str, phase: str) -> None:
    """F4: before, while and after the machine changes hands, in steps of 250 microseconds."""
    for step in range(4):
        check(struck(order, fault, phase, step * 250_000))


@pytest.mark.parametrize("order", MOVES)
def test_redundancy_is_never_silently_lost(order: str) -> None:
    """F4: a move whose new host dies ends with a pair: the old one, or a restored one."""
    for phase in PHASES:
        pair = struck(order, "the new host crashes", phase)
        assert pair.events("move-failed") or pair.events("protected") \
            or pair.role(MOVES[order][0]) == order.removeprefix("move-")
        check(pair)


def test_a_late_winner_of_a_move_does_not_take_the_address() -> None:
    """A new host that hears too late that the machine is its own finds the pair elsewhere.

    Meanwhile the old host has left and the backup has gone live: if the new one announced itself,
    the clients' requests would go to where nobody answers them.
    """
    pair = busy(5)
    pair.sim.administer("move-primary", 3)
    until(pair, "hand-over")
    pair.cut("disk->n3")
    pair.run(HEALED_MS)
    assert pair.role("n2") == "primary" and pair.sim.service == "n2"
    pair.join("disk->n3")
    pair.run(HEALED_MS)
    assert pair.sim.service == "n2"
    check(pair)


@pytest.mark.parametrize("late_us", range(0, 6000, 250))
def test_a_planned_failover_that_meets_a_move_of_the_backup_leaves_somebody_live(
        late_us: int) -> None:
    """F4: a host that is about to go live does not give its machine away."""
    pair = Pair(hosts=3)
    pair.inc()
    pair.run(20)
    pair.sim.administer("move-backup", 3)
    pair.until(pair.sim.now_ns + late_us * 1000)
    pair.sim.administer("failover")
    pair.run(2500)
    number = pair.inc()
    pair.run(50)
    assert pair.answers[number] == [2] and pair.broken() == []
