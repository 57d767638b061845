"""Coverage marks: which situations a run has reached.

A fault proves something only where it hurts: a crash with nothing held, nothing pending and
nothing unconsumed shows little.  So each situation that the protocol was made for has a name here,
a run tells which ones it reached, and a hunt or a suite which ones nobody did.

One pass over the trace, in order of time, follows what each node holds.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Callable, Iterable

from checker.check import Record
from histories import Event

MARKS = {
    "kill-protected": "a primary crashed that had a backup",
    "kill-backup": "a backup crashed",
    "kill-contending": "a host crashed between its suspicion and the test-and-set's answer",
    "kill-going-live": "a host crashed that had won the test-and-set and was not live yet",
    "kill-alone": "a machine without a backup crashed",
    "kill-cloning": "the source of a clone crashed while it was copied",
    "kill-clone-target": "the host that a clone was copied to crashed",
    "kill-switched": "a host crashed between the switch of a clone and its first acknowledgement",
    "kill-held-output": "an output was held back when its primary crashed",
    "kill-pending-disk": "a disk operation was on its way when its primary crashed",
    "kill-unacknowledged": "a primary crashed with log entries that no backup had",
    "kill-unconsumed": "a primary crashed whose backup had entries that it had not executed",
    "log-lost-with-sender": "log messages died in the buffers of a crashed host",
    "contended-both": "both sides suspected each other",
    "test-and-set-race": "both sides asked for the same generation",
    "test-and-set-lost": "a loser of the test-and-set halted",
    "primary-went-alone": "a primary lost its backup and went on alone",
    "failover": "a backup went live",
    "second-failover": "a backup that was cloned went live",
    "live-with-held": "a machine went live alone with outputs held back",
    "live-with-pending-disk": "a machine went live and issued disk operations again",
    "duplicate-output": "an output left again after a failover",
    "redundancy-restored": "a clone became a backup",
    "clone-failed": "a clone was given up",
    "fenced": "the disk refused a request of an older generation",
    "log-refused": "a backup refused a damaged or misplaced log message",
    "throttled": "the lag lowered the primary's share of the processor",
    "restarted": "a crashed host came back",
    "paused-primary": "a primary stood still for a while",
    "woke-superseded": "a host that had stood still found that another was live",
    "disk-away": "the disk was away when a side suspected the other",
    "disk-failed": "a disk operation ended with an error",
    "disk-full": "the disk was full",
    "clock-jumped": "the clock of a live machine's host jumped",
    "handed-over": "a side of the pair moved to another host",
    "move-failed": "a move was given up",
    "cluster-away": "the cluster service was away when a machine ran alone",
}


class Situation:
    """What every node holds at a moment, as far as the trace has been read."""

    def __init__(self) -> None:
        self.reached: dict[str, None] = {}          # in order of first time
        self.role: dict[str, str] = {}
        self.held: dict[str, set[int]] = defaultdict(set)
        self.disk: dict[str, set[int]] = defaultdict(set)
        self.logged: dict[int, int] = {}            # by generation, all three
        self.received: dict[int, int] = {}
        self.executed: dict[int, int] = {}
        self.generation: dict[str, int] = {}
        self.cloned: set[str] = set()               # hosts whose machine came by a clone
        self.asked: dict[int, set[str]] = defaultdict(set)
        self.away: set[str] = set()                 # paused hosts and services, services down
        self.woke: set[str] = set()                 # hosts that were paused in their generation

    def mark(self, name: str, reached: bool = True) -> None:
        """Note that a situation was reached, if it was."""
        if reached:
            assert name in MARKS, name
            self.reached[name] = None

    def take(self, event: Event) -> None:
        """One more event."""
        handler = HANDLERS.get(event.kind)
        if handler is not None:
            handler(self, event.node, event.data)


def _boot(now: Situation, node: str, data: dict[str, Any]) -> None:
    now.role[node] = data.get("role", "spare")
    now.generation[node] = 1


def _log(now: Situation, node: str, data: dict[str, Any]) -> None:
    now.logged[data["generation"]] = data["seq"]


def _output(now: Situation, node: str, data: dict[str, Any]) -> None:
    now.held[node].add(data["number"])


def _release(now: Situation, node: str, data: dict[str, Any]) -> None:
    now.held[node].discard(data["number"])
    if data["device"] == "disk":
        now.disk[node].add(data["number"])
    now.mark("duplicate-output", data["again"])


def _disk_done(now: Situation, node: str, data: dict[str, Any]) -> None:
    now.disk[data["source"]].clear()


def _acknowledge(now: Situation, node: str, data: dict[str, Any]) -> None:
    now.received[data["generation"]] = data["received"]


def _replay(now: Situation, node: str, data: dict[str, Any]) -> None:
    now.executed[now.generation.get(node, 1)] = data["last"]


def _crash(now: Situation, node: str, data: dict[str, Any]) -> None:
    """The situation of the victim decides what this crash is worth."""
    role, generation = now.role.get(node, "spare"), now.generation.get(node, 1)
    marks = {"primary": "kill-protected", "backup": "kill-backup", "alone": "kill-alone",
             "contending": "kill-contending", "winner": "kill-going-live",
             "cloning": "kill-cloning", "target": "kill-clone-target",
             "switched": "kill-switched"}
    if role in marks:
        now.mark(marks[role])
    received, logged = now.received.get(generation, 0), now.logged.get(generation, 0)
    if role in ("primary", "contending", "switched"):
        now.mark("kill-held-output", bool(now.held[node]))
        now.mark("kill-pending-disk", bool(now.disk[node]))
        now.mark("kill-unacknowledged", logged > received)
        now.mark("kill-unconsumed", received > now.executed.get(generation, 0))
    now.role[node] = "crashed"
    now.woke.discard(node)
    now.held[node].clear()
    now.disk[node].clear()


def _restart(now: Situation, node: str, data: dict[str, Any]) -> None:
    now.role[node] = "spare"
    now.mark("restarted")


def _drop(now: Situation, node: str, data: dict[str, Any]) -> None:
    now.mark("log-lost-with-sender", data["message"] == "Log"
             and data["why"] == "lost with its sender")


def _away(now: Situation, node: str, data: dict[str, Any]) -> None:
    now.away.add(node)
    now.mark("paused-primary", now.role.get(node) == "primary")


def _back(now: Situation, node: str, data: dict[str, Any]) -> None:
    now.away.discard(node)
    now.woke.add(node)


def _suspect(now: Situation, node: str, data: dict[str, Any]) -> None:
    now.mark("disk-away", "disk" in now.away)
    now.mark("contended-both", now.role.get(data["peer"]) == "contending")
    now.role[node] = "contending"


def _test_and_set(now: Situation, node: str, data: dict[str, Any]) -> None:
    if data.get("flag", 0) != 0:
        return
    asked = now.asked[data["generation"]]
    asked.add(data["asked"])
    now.mark("test-and-set-race", len(asked) > 1)
    if data["winner"] == data["asked"]:
        now.role[data["asked"]] = "winner"


def _live(now: Situation, node: str, data: dict[str, Any]) -> None:
    backup = "executed" in data
    now.mark("failover" if backup else "primary-went-alone")
    now.mark("second-failover", backup and node in now.cloned)
    now.mark("live-with-held", data.get("held", 0) > 0)
    now.mark("cluster-away", "cluster" in now.away)
    now.woke.discard(node)
    now.role[node] = "alone"
    now.generation[node] = data["generation"]


def _clone(now: Situation, node: str, data: dict[str, Any]) -> None:
    now.role[node] = "cloning"
    now.role[data["to"]] = "target"


def _switch(now: Situation, node: str, data: dict[str, Any]) -> None:
    now.role[node] = "switched"


def _clone_failed(now: Situation, node: str, data: dict[str, Any]) -> None:
    now.mark("clone-failed")
    now.role[node] = "alone"


def _backup(now: Situation, node: str, data: dict[str, Any]) -> None:
    now.role[node] = "backup"
    now.generation[node] = data["generation"]
    now.cloned.add(node)


def _protected(now: Situation, node: str, data: dict[str, Any]) -> None:
    now.mark("redundancy-restored")
    now.role[node] = "primary"


def _halt(now: Situation, node: str, data: dict[str, Any]) -> None:
    now.mark("test-and-set-lost", data["why"].startswith("lost the test-and-set"))
    now.mark("fenced", data["why"].startswith("fenced"))
    now.mark("woke-superseded", node in now.woke)
    now.role[node] = "halted"


def _complete(now: Situation, node: str, data: dict[str, Any]) -> None:
    now.mark("disk-failed", data["status"] != 0)


def _clock_jump(now: Situation, node: str, data: dict[str, Any]) -> None:
    now.mark("clock-jumped", now.role.get(node) in ("primary", "alone"))


def _mark(name: str) -> Callable[[Situation, str, dict[str, Any]], None]:
    return lambda now, node, data: now.mark(name)


HANDLERS: dict[str, Callable[[Situation, str, dict[str, Any]], None]] = {
    "boot": _boot, "log": _log, "output": _output, "release": _release,
    "disk-write": _disk_done, "disk-read": _disk_done, "acknowledge": _acknowledge,
    "replay": _replay, "crash": _crash, "restart": _restart, "drop": _drop,
    "suspect": _suspect, "test-and-set": _test_and_set, "live": _live, "clone": _clone,
    "switch": _switch, "clone-failed": _clone_failed, "backup": _backup,
    "protected": _protected, "halt": _halt, "reissue": _mark("live-with-pending-disk"),
    "pause": _away, "down": _away, "resume": _back, "up": _back,
    "refused": _mark("log-refused"), "share": _mark("throttled"),
    "complete": _complete, "full": _mark("disk-full"), "clock-jump": _clock_jump,
    "hand-over": _mark("handed-over"), "move-failed": _mark("move-failed"),
}


def reached(record: Record) -> tuple[str, ...]:
    """The marks that a run has reached, in the order of MARKS."""
    now = Situation()
    for event in record.trace:
        now.take(event)
    return tuple(name for name in MARKS if name in now.reached)


def unreached(marks: Iterable[str]) -> list[str]:
    """The marks that are missing, each with its meaning."""
    found = set(marks)
    return [f"{name}: {meaning}" for name, meaning in MARKS.items() if name not in found]
