"""The rules that are judged from the trace, vacuity, and how verdicts join: each both ways."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.check import check_all, merge
from checker.divergence import divergence
from checker.output_rule import EXAMPLES_MAX, output_rule
from checker.single_primary import single_primary
from checker.stats import stats
from checker.vacuity import vacuity
from checker.verdict import Verdict, from_json, merge_valid, to_json
from histories import NEMESIS, Event, History, Op, Trace


class Record(NamedTuple):
    """What a check is given."""

    test: dict[str, Any]
    history: History
    trace: Trace


def traced(*events: tuple[str, str, dict[str, Any]]) -> Record:
    """A record of these events (node, kind, data), a nanosecond apart."""
    return Record({}, History([]), Trace(
        Event(time, node, kind, data) for time, (node, kind, data) in enumerate(events)))


# Output rule

def had(received: int, generation: int = 1) -> tuple[str, str, dict[str, Any]]:
    """The backup says what it has."""
    return "n2", "acknowledge", {"received": received, "generation": generation}


def left(seq: int, acknowledged: int | None, generation: int = 1) -> tuple[str, str,
                                                                           dict[str, Any]]:
    """An output leaves the primary."""
    return "n1", "release", {"number": seq, "seq": seq, "at": 10 * seq, "device": "nic",
                             "generation": generation, "acknowledged": acknowledged}


@pytest.mark.parametrize("events, valid", [
    ([had(5), left(5, 5)], True),
    ([had(4), left(5, 5)], False),
    ([left(5, 5), had(5)], False),
    ([left(1, 1)], False),
    ([had(9, 1), left(1, 1, 2)], False),
    ([had(9, 1), had(1, 2), left(1, 1, 2)], True),
    ([had(9), had(3), left(5, 5)], True),
    ([left(5, None)], True),
    ([], True),
], ids=["after", "one short", "before", "never", "another generation", "this generation",
        "a late message", "alone", "nothing"])
def test_an_output_leaves_after_its_own_entry_is_safe(
        events: list[tuple[str, str, dict[str, Any]]], valid: bool) -> None:
    """What the primary believes does not matter, only what the backup said before."""
    assert output_rule(traced(*events)).valid is valid


def test_the_output_rule_names_the_first_and_counts_all() -> None:
    """With examples up to a limit."""
    verdict = output_rule(traced(had(1), left(1, 1), *[left(n, 0) for n in range(2, 40)]))
    assert verdict.evidence["count"] == 38 and verdict.evidence["checked"] == 39
    assert len(verdict.evidence["early"]) == EXAMPLES_MAX
    first = verdict.evidence["early"][0]
    assert (first["seq"], first["had"], first["node"], first["time"]) == (2, 1, "n1", 2)


# Single primary

def asked(generation: int, winner: str) -> tuple[str, str, dict[str, Any]]:
    """The disk decides."""
    return "disk", "test-and-set", {"generation": generation, "asked": winner, "winner": winner}


def live(node: str, generation: int) -> tuple[str, str, dict[str, Any]]:
    """A machine goes live."""
    return node, "live", {"generation": generation}


@pytest.mark.parametrize("events, why", [
    ([], None),
    ([asked(1, "n1")], None),
    ([asked(1, "n2"), live("n2", 2)], None),
    ([asked(1, "n2"), live("n2", 2), asked(2, "n1"), live("n1", 3)], None),
    ([live("n2", 2)], "n2 went live without winning the test-and-set"),
    ([live("n2", 2), asked(1, "n2")], "n2 went live without winning the test-and-set"),
    ([asked(1, "n1"), live("n2", 2)], "n2 went live without winning the test-and-set"),
    ([asked(1, "n2"), live("n2", 3)], "n2 went live without winning the test-and-set"),
    ([asked(1, "n2"), live("n2", 2), live("n1", 2)], "n2 and n1 are both live in generation 2"),
    ([live("n1", 2), live("n2", 2)], "n1 and n2 are both live in generation 2"),
])
def test_who_goes_live_has_won_and_is_the_only_one(
        events: list[tuple[str, str, dict[str, Any]]], why: str | None) -> None:
    """By the disk's own account, which comes first."""
    verdict = single_primary(traced(*events))
    assert verdict.valid is (why is None)
    assert why is None or verdict.why == why


# Divergence

DIVERGED = {"seq": 7, "entry": "output", "expected_at": 100, "found_at": 99, "why": "it differs"}


def test_a_divergence_is_told_in_the_log_s_own_terms() -> None:
    """Entry, kind, both positions, and the reason."""
    verdict = divergence(traced(("n2", "divergence", DIVERGED)))
    assert verdict.valid is False
    assert verdict.why == (
        "n2 diverged at entry 7 (output at instruction 100, found at 99): it differs")


def test_a_guest_that_fails_is_a_divergence_too() -> None:
    """It keeps no promise."""
    verdict = divergence(traced(("n1", "fault", {"why": "jumps to memory that is not there"})))
    assert verdict.valid is False and "the guest on n1 failed" in verdict.why


def test_replaying_alike_is_counted() -> None:
    """Entries, not batches."""
    verdict = divergence(traced(("n2", "replay", {"first": 1, "last": 3}),
                                ("n2", "replay", {"first": 4, "last": 4})))
    assert verdict.valid is True and verdict.why == "4 entries replayed alike"


# Vacuity and stats

def struck(**effect: Any) -> Op:
    """What the nemesis did."""
    return Op(NEMESIS, "info", "cut", {"start": 0, "effect": effect})


def judged(*ops: Op, nemesis: bool = True) -> Verdict:
    """The verdict of vacuity on a history."""
    return vacuity(Record({"nemesis": ["partition"] if nemesis else []}, History(ops), Trace()))


BEGIN, OK, INFO = Op(0, "invoke", "inc"), Op(0, "ok", "inc", 1), Op(0, "info", "inc")
PLAN = Op(NEMESIS, "info", "cut", {"links": []})
CUT, JOINED, NOTHING = struck(cut=[]), struck(healed=[]), struck(nothing="no host is primary")


@pytest.mark.parametrize("ops, valid", [
    ([BEGIN, CUT, OK], True),
    ([CUT, BEGIN, OK], True),
    ([BEGIN, OK, CUT], None),
    ([BEGIN, OK, CUT, JOINED], None),
    ([BEGIN, OK, CUT, JOINED, BEGIN, OK], None),
    ([BEGIN, JOINED, OK], None),
    ([BEGIN, NOTHING, OK], None),
    ([BEGIN, PLAN, OK], None),
    ([BEGIN, OK], None),
    ([BEGIN, CUT, INFO], None),
    ([CUT], None),
    ([], None),
], ids=["open", "opened later", "too late", "healed at once", "healed before", "only healed",
        "no effect", "only planned", "no fault", "no success", "no call", "empty"])
def test_a_run_under_faults_counts_when_one_met_an_open_call(
        ops: list[Op], valid: bool | None) -> None:
    """And something succeeded; anything less is unknown and says why."""
    verdict = judged(*ops)
    assert verdict.valid is valid and verdict.why


def test_without_faults_asked_for_success_is_enough() -> None:
    """But without success even that is nothing."""
    assert judged(BEGIN, OK, nemesis=False).valid is True
    assert judged(BEGIN, INFO, nemesis=False).valid is None


def test_vacuity_counts_each_fault_once() -> None:
    """However many calls it met; the next fault ends its time."""
    begin = Op(1, "invoke", "inc")
    verdict = judged(BEGIN, CUT, begin, OK, CUT, Op(1, "ok", "inc", 2), CUT, JOINED)
    assert (verdict.evidence["faults"], verdict.evidence["met"]) == (3, 2)


def test_stats_count_calls_by_name_and_outcome() -> None:
    """A call still open at the end counts as info."""
    ops = [BEGIN, OK, Op(1, "invoke", "read"), Op(1, "fail", "read"), Op(2, "invoke", "inc")]
    verdict = stats(Record({}, History(ops), Trace()))
    assert verdict.evidence["calls"] == {
        "inc": {"ok": 1, "fail": 0, "info": 1}, "read": {"ok": 0, "fail": 1, "info": 0}}
    assert verdict.valid is True and verdict.why == "2 inc (1 ok), 1 read (0 ok)"


# Joining

YES = Verdict(valid=True, why="fine")
NO = Verdict(valid=False, why="broken", evidence={"op": 3})
UNKNOWN = Verdict(valid=None, why="gave up")


def test_a_check_that_crashes_is_unknown_and_hides_nothing() -> None:
    """Its error is the cause; the others are heard."""
    def crashes(record: object) -> Verdict:
        raise RuntimeError("out of luck")
    verdict = check_all(traced(), {"a": crashes, "b": lambda record: NO, "c": lambda record: YES})
    assert verdict.valid is False and verdict.why == "b: broken"
    assert verdict.parts["a"].valid is None
    assert verdict.parts["a"].why == "the check itself failed: RuntimeError: out of luck"
    assert check_all(traced(), {"a": crashes, "c": lambda record: YES}).valid is None


@given(st.lists(st.sampled_from([True, False, None])))
def test_false_outranks_unknown_outranks_true(values: list[bool | None]) -> None:
    """Whatever the order."""
    expected = False if False in values else None if None in values else True
    assert merge_valid(values) is expected
    assert merge_valid(reversed(values)) is expected


def test_a_merged_verdict_says_who_decided() -> None:
    """Those of the worst rank, in order."""
    assert merge({"a": YES, "b": NO, "c": UNKNOWN, "d": NO}).why == "b: broken; d: broken"
    assert merge({"a": YES, "c": UNKNOWN}).why == "c: gave up"
    assert merge({"a": YES, "b": YES}).why == "all 2 checks hold"


def test_a_verdict_survives_its_json() -> None:
    """Unknown is a word there, as in Jepsen."""
    verdict = merge({"a": YES, "b": NO, "c": UNKNOWN, "d": merge({"e": UNKNOWN})})
    data = json.loads(json.dumps(to_json(verdict)))
    assert from_json(data) == verdict
    assert data["parts"]["c"]["valid"] == "unknown"
