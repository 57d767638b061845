"""Fault families: what they plan, what they do to a system, and that they put it back."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice, takewhile
from typing import Any, Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nemesis import NEMESES, Fault, Later, Nemesis, Planned, apply, heal, problem, schedule
from nemesis.crash import CRASH
from nemesis.log_loss import LOG_LOSS
from nemesis.nemesis import Link
from nemesis.orders import MOVE, SHARE
from nemesis.partition import PARTITION
from vmft.prng import Rng

HOSTS = ("n1", "n2")
MINUTE_NS = 60_000_000_000
FAMILIES = st.lists(st.sampled_from(sorted(NEMESES)), unique=True, min_size=1)
SEEDS = st.integers(0, (1 << 64) - 1)
# What strikes more than one side of a pair.
BEYOND = {"crash-both", "host-loss", "services", "targeted"}
UNDONE_BY = {
    "cut": "join", "drop-all": "keep", "drop-some": "keep", "truncate": "keep", "crash": "restart",
    "delay": "undelay", "slow": "full-speed", "crowd": "clear",
    "fail-reads": "read-well", "pause": "resume",
    "crash-both": "restart", "crash-service": "restart-services",
    "pause-service": "resume-services", "drop": "keep", "duplicate": "keep", "corrupt": "keep",
    "reorder": "keep", "throttle": "keep", "strike-at": "let-go",
    "fail-writes": "cure-disk", "tear-writes": "cure-disk", "lose-completions": "cure-disk",
    "delay-completions": "cure-disk", "slow-disk": "cure-disk", "fill-disk": "cure-disk",
    "jump-clock": "correct-clocks", "drift-clock": "correct-clocks"}


@dataclass
class Sham:
    """A system that only remembers what was done to it."""

    role: dict[str, str] = field(default_factory=lambda: {"n1": "primary", "n2": "backup"})
    crashed: list[str] = field(default_factory=list)
    waiting: list[tuple[str, Callable[[str], None]]] = field(default_factory=list)
    ailing: list[tuple[str, str]] = field(default_factory=list)
    clocks: dict[str, int] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    paused: list[str] = field(default_factory=list)
    cuts: list[Link] = field(default_factory=list)
    lossy: dict[Link, tuple[int, int]] = field(default_factory=dict)
    stalled: list[Link] = field(default_factory=list)
    delays_ns: dict[Link, int] = field(default_factory=dict)
    slowed: dict[str, int] = field(default_factory=dict)
    failing: dict[str, tuple[int, int]] = field(default_factory=dict)
    orders: list[tuple[str, int]] = field(default_factory=list)

    def roles(self) -> dict[str, str]:
        """As the test set them, but for the crashed."""
        return {name: "lost" if name in self.gone else
                "crashed" if name in self.crashed else role
                for name, role in self.role.items()}

    def services(self) -> dict[str, str]:
        """As the test set them, but for the crashed."""
        return {name: "lost" if name in self.gone else
                "crashed" if name in self.crashed else "up" for name in ("disk", "cluster")}

    def links(self) -> list[Link]:
        """All of them."""
        nodes = [*self.role, "disk", "cluster", "clients"]
        return [(one, other) for one in nodes for other in nodes if one != other]

    def crash(self, node: str) -> None:
        """Note it."""
        self.crashed.append(node)

    def restart(self, node: str) -> None:
        """Forget it."""
        self.crashed.remove(node)

    def lose_host(self, node: str) -> None:
        """Note it; it is not merely crashed."""
        self.gone.append(node)
        self.crashed = [each for each in self.crashed if each != node]

    def pause(self, node: str) -> None:
        """Note it."""
        self.paused.append(node)

    def resume(self, node: str) -> None:
        """Forget it."""
        self.paused.remove(node)

    def standing(self) -> list[str]:
        """Those that were noted."""
        return list(self.paused)

    def at_moment(self, moment: str, nth: int, after_ns: int,
                  strike: Callable[[str], None]) -> None:
        """Note it."""
        self.waiting.append((moment, strike))

    def disarm(self) -> None:
        """Forget it."""
        self.waiting.clear()

    def jump_clock(self, node: str, by_ns: int) -> None:
        """Note it."""
        self.clocks[node] = by_ns

    drift_clock = jump_clock

    def correct_clock(self, node: str) -> None:
        """Forget it."""
        self.clocks.pop(node, None)

    def ail(self, node: str, ailment: str, numerator: int, denominator: int,
            late_ns: int = 0) -> None:
        """Note it."""
        self.ailing.append((node, ailment))

    def slow_disk(self, extra_ns: int) -> None:
        """Note it."""
        self.ailing.append(("disk", "slow"))

    def fill_disk(self) -> None:
        """Note it."""
        self.ailing.append(("disk", "full"))

    def cure(self) -> dict[str, int]:
        """Forget it."""
        self.ailing.clear()
        return {}

    def cut(self, links: list[Link]) -> None:
        """Note it."""
        self.cuts += links

    def join(self, links: list[Link]) -> None:
        """Forget it."""
        self.cuts = [link for link in self.cuts if link not in links]

    def lose(self, link: Link, numerator: int, denominator: int) -> None:
        """Note it."""
        self.lossy[link] = numerator, denominator

    def stall(self, link: Link) -> None:
        """Note it."""
        self.stalled.append(link)

    def delay(self, link: Link, delay_ns: int) -> None:
        """Note it, or forget it."""
        self.delays_ns.pop(link, None)
        if delay_ns:
            self.delays_ns[link] = delay_ns

    def slow(self, node: str, times: int) -> None:
        """Note it, or forget it."""
        self.slowed.pop(node, None)
        if times != 1:
            self.slowed[node] = times

    def administer(self, order: str, value: int = 0) -> None:
        """Note it."""
        self.orders.append((order, value))

    def fail_reads(self, node: str, numerator: int, denominator: int) -> None:
        """Note it, or forget it."""
        self.failing.pop(node, None)
        if numerator:
            self.failing[node] = numerator, denominator

    def duplicate(self, link: Link, numerator: int, denominator: int) -> None:
        """Note it."""
        self.lossy[link] = numerator, denominator

    corrupt = duplicate

    def reorder(self, link: Link, numerator: int, denominator: int, late_ns: int) -> None:
        """Note it."""
        self.lossy[link] = numerator, denominator

    def throttle(self, link: Link, bytes_per_s: int) -> None:
        """Note it."""
        self.lossy[link] = 1, bytes_per_s

    def keep(self, link: Link) -> dict[str, int]:
        """Forget it."""
        self.stalled = [each for each in self.stalled if each != link]
        return {"struck": 1} if self.lossy.pop(link, None) else {}


def families(names: Sequence[str]) -> list[Nemesis]:
    """The families of these names."""
    return [NEMESES[name] for name in names]


def plan(names: Sequence[str], seed: int) -> list[Planned]:
    """A minute of faults."""
    planned = schedule(families(names), Rng(seed, "nemesis"), HOSTS)
    return list(takewhile(lambda each: each.time_ns < MINUTE_NS, planned))


def done(among: Sequence[Nemesis], system: Sham, fault: Fault) -> Any:
    """What a fault did; one that waits for its moment has it at once, on the first host."""
    effect = apply(among, system, fault)
    return effect.strike(system, "n1") if isinstance(effect, Later) else effect


# Schedules

@given(FAMILIES, SEEDS)
def test_a_schedule_is_a_function_of_its_seed(names: list[str], seed: int) -> None:
    """The same families and seed, the same plan."""
    assert plan(names, seed) == plan(names, seed)


@given(FAMILIES, SEEDS)
def test_a_schedule_goes_forward_in_time(names: list[str], seed: int) -> None:
    """Times never decrease, nothing is planned at the very start, something always is."""
    times = [each.time_ns for each in plan(names, seed)]
    assert times and times == sorted(times) and times[0] > 0


@given(st.sampled_from(sorted(NEMESES)), SEEDS)
def test_every_episode_heals_itself(name: str, seed: int) -> None:
    """Each fault is followed by what ends it: a cut by the join of the same links."""
    faults = NEMESES[name].episode(Rng(seed), HOSTS)
    for fault in faults:
        ends = [end for end in faults if end.f == UNDONE_BY.get(fault.f)]
        assert fault.f not in UNDONE_BY or max(end.delay_ns for end in ends) > fault.delay_ns
        assert fault.f != "cut" or any(end.value == fault.value for end in ends), "the same links"


@given(FAMILIES, SEEDS)
def test_a_whole_schedule_leaves_a_system_as_it_was(names: list[str], seed: int) -> None:
    """After the final healing nothing is cut, lossy or stalled, and all hosts are up."""
    system = Sham()
    for each in plan(names, seed):
        effect = done(families(names), system, each.fault)
        assert isinstance(effect, dict) and effect
        assert len(system.crashed) + len(system.gone) <= 1 or set(names) & BEYOND, \
            "of two hosts one still lives"
    heal(families(names), system)
    assert (system.cuts, system.lossy, system.stalled, system.crashed) == ([], {}, [], [])
    assert (system.delays_ns, system.slowed, system.failing, system.paused) == ({}, {}, {}, [])
    assert (system.ailing, system.waiting, system.clocks) == ([], [], {})


@given(SEEDS)
def test_families_meet_in_one_episode(seed: int) -> None:
    """Over a minute, some crash falls between a loss and its end: faults alone prove little."""
    inside, met = False, 0
    for each in islice(schedule([CRASH, LOG_LOSS], Rng(seed, "nemesis"), HOSTS), 400):
        inside = each.fault.f in UNDONE_BY or inside and each.fault.f != "keep"
        met += inside and each.fault.f == "crash"
    assert met > 10


def test_no_families_plan_nothing() -> None:
    """And that ends."""
    assert list(schedule([], Rng(1), HOSTS)) == []


def test_every_fault_that_is_planned_can_be_applied() -> None:
    """Each family draws only what its table has, and draws all of it, over enough seeds."""
    for family in NEMESES.values():
        drawn = {fault.f for seed in range(400) for fault in family.episode(Rng(seed), HOSTS)}
        assert drawn == set(family.faults)


@given(FAMILIES, SEEDS)
def test_what_is_drawn_is_what_is_declared(names: list[str], seed: int) -> None:
    """A value that a family draws fits the parameters that it declares."""
    for each in plan(names, seed):
        kinds = [NEMESES[name].faults[each.fault.f] for name in names
                 if each.fault.f in NEMESES[name].faults]
        assert kinds and all(problem(each.fault.value, kind.parameters, HOSTS) is None
                             for kind in kinds)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2000) | st.floats(allow_nan=False)
    | st.sampled_from(["", "n1", "n2", "n9", "disk", "primary", "backup", "share", "both"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5)


@given(st.data(), st.sampled_from(sorted(NEMESES)), SEEDS)
def test_what_passes_as_a_value_can_be_applied(data: st.DataObject, name: str, seed: int) -> None:
    """A value that somebody wrote is refused in words, or does what it says: no traceback."""
    fault = data.draw(st.sampled_from(NEMESES[name].episode(Rng(seed), HOSTS)))
    value: Any = dict(fault.value or {})
    for key in data.draw(st.lists(st.sampled_from([*value, "unheard"]), max_size=2)):
        value[key] = data.draw(JSON)
    value = data.draw(st.sampled_from([value, None])) if len(value) < 2 else value
    wrong = problem(value, NEMESES[name].faults[fault.f].parameters, HOSTS)
    if wrong is not None:
        assert wrong and "\n" not in wrong
    else:
        assert done([NEMESES[name]], Sham(), Fault(0, fault.f, value))


def test_an_unknown_fault_is_an_error() -> None:
    """Not silence."""
    with pytest.raises(KeyError):
        apply([CRASH], Sham(), Fault(0, "earthquake"))


# Crash

@pytest.mark.parametrize("target, pick, victim", [
    ("primary", 0, "n1"), ("primary", 1, "n1"), ("backup", 0, "n2"), ("backup", 1, "n2"),
    ("either", 0, "n1"), ("either", 1, "n2")])
def test_a_crash_finds_its_target_by_role(target: str, pick: int, victim: str) -> None:
    """The roles at that moment decide, not the names."""
    system = Sham()
    effect = apply([CRASH], system, Fault(0, "crash", {"target": target, "pick": pick}))
    assert system.crashed == [victim]
    assert effect == {"crashed": victim, "role": system.role[victim]}
    swapped = Sham(role={"n1": "backup", "n2": "primary"})
    apply([CRASH], swapped, Fault(0, "crash", {"target": target, "pick": pick}))
    assert swapped.crashed == [victim] if target == "either" else swapped.crashed != [victim]


@pytest.mark.parametrize("roles", [
    {"n1": "alone", "n2": "halted"}, {"n1": "alone", "n2": "crashed"},
    {"n1": "contending", "n2": "backup"}, {"n1": "primary", "n2": "halted"},
    {"n1": "contending", "n2": "contending"}])
@pytest.mark.parametrize("target", ["primary", "backup", "either"])
def test_the_last_host_that_could_serve_is_spared(roles: dict[str, str], target: str) -> None:
    """And the record says so."""
    system = Sham(role=roles)
    effect = apply([CRASH], system, Fault(0, "crash", {"target": target, "pick": 0}))
    assert system.crashed == [] and "nothing" in effect


def test_crashed_hosts_come_back_and_only_they() -> None:
    """And the record says whether there was one."""
    system = Sham(crashed=["n2"])
    assert apply([CRASH], system, Fault(0, "restart")) == {"healed": ["n2"]}
    assert system.crashed == []
    assert "nothing" in apply([CRASH], system, Fault(0, "restart"))


# Partition

@given(SEEDS)
def test_a_partition_cuts_real_links_one_way_or_both(seed: int) -> None:
    """One pair of nodes, or a host from the other and the disk; no link twice."""
    cut, join = PARTITION.episode(Rng(seed), HOSTS)
    links = [tuple(link) for link in cut.value["links"]]
    assert cut.delay_ns < join.delay_ns
    assert links and len(set(links)) == len(links)
    assert set(links) <= set(Sham().links())
    assert not {("disk", "clients"), ("clients", "disk")} & set(links)


def test_partitions_cover_every_link_both_ways_and_one_way() -> None:
    """Each link of the pair, the disk and the clients is cut alone in some seed."""
    drawn = {tuple(map(tuple, PARTITION.episode(Rng(seed), HOSTS)[0].value["links"]))
             for seed in range(500)}
    for host in HOSTS:
        for other in ("disk", "clients"):
            assert {((host, other),), ((other, host),),
                    ((host, other), (other, host))} <= drawn
    assert {(("n1", "n2"),), (("n2", "n1"),), (("n1", "n2"), ("n2", "n1"))} <= drawn


# Moves

@pytest.mark.parametrize("pick, host", [(0, 3), (1, 4), (2, 3)])
def test_a_move_goes_to_a_free_host(pick: int, host: int) -> None:
    """Among those that are free at that moment; where none is, the record says so."""
    system = Sham(role={"n1": "primary", "n2": "backup", "n3": "spare", "n4": "spare"})
    fault = Fault(0, "move", {"order": "move-backup", "pick": pick})
    assert apply([MOVE], system, fault) == {"told": ["n1"], "to": f"n{host}"}
    assert system.orders == [("move-backup", host)]
    for role in ({"n1": "primary", "n2": "backup"}, {"n1": "contending", "n2": "spare"}):
        system = Sham(role=role)
        assert "nothing" in apply([MOVE], system, fault) and system.orders == []


def test_a_share_that_is_not_said_is_the_whole() -> None:
    """A share of nothing would stop the machine for ever."""
    system = Sham()
    apply([SHARE], system, Fault(0, "order", {"order": "share"}))
    assert system.orders == [("share", 100)]


# Log loss

@pytest.mark.parametrize("fault, lossy, stalled", [
    ("drop-all", {("n2", "n1"): (1, 1)}, []), ("drop-some", {("n2", "n1"): (2, 3)}, []),
    ("truncate", {}, [("n2", "n1")])])
def test_log_loss_strikes_from_the_primary_to_the_backup(
        fault: str, lossy: dict[Link, tuple[int, int]], stalled: list[Link]) -> None:
    """Whoever they are now; `keep` ends it."""
    system = Sham(role={"n1": "backup", "n2": "primary"})
    effect = apply([LOG_LOSS], system, Fault(0, fault))
    assert (system.lossy, system.stalled) == (lossy, stalled)
    assert effect["link"] == ["n2", "n1"]
    apply([LOG_LOSS], system, Fault(0, "keep"))
    assert (system.lossy, system.stalled) == ({}, [])


@pytest.mark.parametrize("fault", ["drop-all", "drop-some", "truncate"])
@pytest.mark.parametrize("roles", [
    {"n1": "alone", "n2": "halted"}, {"n1": "primary", "n2": "crashed"},
    {"n1": "crashed", "n2": "contending"}])
def test_without_a_channel_no_log_is_lost(fault: str, roles: dict[str, str]) -> None:
    """And the record says so."""
    system = Sham(role=roles)
    assert "nothing" in apply([LOG_LOSS], system, Fault(0, fault))
    assert (system.lossy, system.stalled) == ({}, [])
