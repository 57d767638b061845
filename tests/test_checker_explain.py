"""The explanation of a failure: short, in words, and with the command that repeats it."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from checker import linearizable, models
from checker.check import check_all, merge
from checker.explain import LINES_MAX, _once, explain
from checker.output_rule import output_rule
from checker.quiet import quiet
from checker.single_primary import single_primary
from checker.verdict import Verdict
from checker.white_box import CAME
from histories import NEMESIS, Event, History, Op, Trace

MS = 1_000_000
COMMAND = "python -m checker run --workload counter --seed 7"
TEST = {"workload": "counter", "nemesis": ["crash", "log-loss"], "bugs": ["no-output-rule"],
        "seed": 7, "command": COMMAND}
CHECKS = {
    "linearizable": lambda record: linearizable(record.history, models.counter),
    "output-rule": output_rule, "single-primary": single_primary}


class Record(NamedTuple):
    """What is explained."""

    test: dict[str, Any]
    history: History
    trace: Trace


def history(*ops: tuple[int, Op]) -> History:
    """Ops, each with its moment in milliseconds; indexes count."""
    return History([op._replace(index=index, time=time_ms * MS)
                    for index, (time_ms, op) in enumerate(ops)])


def trace(*events: tuple[int, str, str, dict[str, Any]]) -> Trace:
    """Events: milliseconds, node, kind, data."""
    return Trace(Event(time_ms * MS, node, kind, data) for time_ms, node, kind, data in events)


def released(number: int, seq: int, request: int, generation: int,
             acknowledged: int | None) -> dict[str, Any]:
    """The data of an output that left."""
    return {"number": number, "seq": seq, "at": 10 * seq, "device": "nic", "bytes": 28,
            "request": request, "again": False, "generation": generation,
            "acknowledged": acknowledged}


ELEVEN = Record(TEST, history(
    (1, Op(0, "invoke", "inc")), (2, Op(0, "ok", "inc", 1)),
    (5, Op(NEMESIS, "info", "drop-all")),
    (5, Op(NEMESIS, "info", "drop-all", {"start": 2, "effect": {"link": ["n1", "n2"]}})),
    (10, Op(1, "invoke", "inc")), (11, Op(1, "ok", "inc", 2)),
    (500, Op(2, "invoke", "inc")), (501, Op(2, "ok", "inc", 2)),
), trace(
    (1, "n2", "acknowledge", {"received": 4, "generation": 1}),
    (2, "n1", "release", released(1, 4, 0, 1, 4)),
    (11, "n1", "drop", {"to": "n2", "message": "Log", "why": "lost", "first": 5, "last": 7}),
    (11, "n1", "release", released(2, 7, 4, 1, 4)),
    (20, "n1", "crash", {}),
    (400, "n2", "suspect", {"peer": "n1", "why": "no heartbeat", "generation": 1}),
    (401, "disk", "test-and-set", {"generation": 1, "asked": "n2", "winner": "n2"}),
    (402, "n2", "live", {"generation": 2, "executed": 4, "position": 60}),
    (501, "n2", "release", released(2, 0, 6, 2, None)),
))

ELEVEN_TEXT = f"""\
INVALID  counter, nemesis crash,log-loss, bug no-output-rule, seed 7 (linearizable, output-rule)

Two different increments were both answered 2. A counter passes each value once, so no order of \
the calls explains both:
  op 4     process 1   inc -> 2       0.010000 s to 0.011000 s   answered by n1
  op 6     process 2   inc -> 2       0.500000 s to 0.501000 s   answered by n2
What the machines did:
  0.011000 s  n1 let the first answer out (its log entry is 7, instruction 70), when n2 had \
acknowledged entries up to 4.
  0.011000 s  entries 5 to 7 did not reach n2: lost (drop-all since 0.005000 s).
  0.020000 s  n1 crashed, and what it had not got through died with it.
  0.400000 s  n2 suspected n1 (no heartbeat).
  0.402000 s  n2 went live with entries up to 4: the first call is not among them.

The output rule was broken once: an output may leave only when the backup has acknowledged its \
own log entry.
  0.011000 s  n1 let out output 2, the answer to op 4 (inc -> 2), whose entry is 7; the backup had \
entries up to 4.
How it came to that:
  0.005000 s  the latest fault: drop-all (link ["n1" "n2"]).

Run it again:  {COMMAND}
Shrink it:     {COMMAND.replace(" run ", " shrink ")}"""


def test_the_double_eleven_is_told_from_end_to_end() -> None:
    """Both calls, what was lost and why, who died, who took over, and how to see it again."""
    assert "\n".join(explain(ELEVEN, check_all(ELEVEN, CHECKS))) == ELEVEN_TEXT


def test_when_the_first_answer_was_lost_only_the_trace_convicts() -> None:
    """The black box saw nothing, and the text says so."""
    unheard = Record(TEST, history(*[
        (op.time // MS, Op(1, "info", "inc") if op.index == 5 else op)
        for op in ELEVEN.history]), ELEVEN.trace)
    text = explain(unheard, check_all(unheard, CHECKS))
    assert text[0].endswith("(output-rule)")
    assert "Only the trace convicts: no client was told anything contradictory." in text


def test_without_a_trace_only_the_history_convicts() -> None:
    """And what the machines did is left out instead of guessed."""
    blind = Record(TEST, ELEVEN.history, Trace())
    text = explain(blind, check_all(blind, CHECKS))
    assert "Two different increments were both answered 2." in "\n".join(text)
    assert "What the machines did:" not in text
    assert "Only the clients' history convicts: the trace shows no broken rule." in text


def test_a_read_that_fits_nowhere_is_explained_by_the_model() -> None:
    """In the model's words."""
    record = Record({}, history((1, Op(0, "invoke", "inc")), (2, Op(0, "ok", "inc", 1)),
                                (3, Op(1, "invoke", "read")), (4, Op(1, "ok", "read", 5))), Trace())
    text = "\n".join(explain(record, check_all(record, CHECKS)))
    assert "No order of the calls explains this one, read -> 5" in text
    assert "read 5, the counter stands at 1" in text


def test_split_brain_is_told_step_by_step() -> None:
    """The partition, who suspected whom, and who went live."""
    links = [["n1", "n2"], ["n2", "n1"]]
    record = Record(TEST, history(
        (1, Op(0, "invoke", "inc")), (2, Op(0, "ok", "inc", 1)),
        (3, Op(NEMESIS, "info", "cut", {"start": 1, "effect": {"cut": links}}))), trace(
        (400, "n1", "suspect", {"peer": "n2", "why": "no heartbeat", "generation": 1}),
        (400, "n1", "live", {"generation": 2, "held": 0}),
        (401, "n2", "live", {"generation": 2, "executed": 4})))
    text = "\n".join(explain(record, check_all(record, CHECKS)))
    for part in ("Split brain: n1 and n2 are both live in generation 2", "cut n1->n2, n2->n1",
                 "n1 suspected n2: no heartbeat.", "n1 went live in generation 2.",
                 "n2 went live in generation 2."):
        assert part in text


@pytest.mark.parametrize("parts", [1, 3, 30])
@pytest.mark.parametrize("valid", [True, False, None])
def test_it_is_never_longer_than_a_screen(parts: int, valid: bool | None) -> None:
    """However many checks have something to say; the command comes last all the same."""
    part = Verdict(valid=valid, why="it is as it is")
    verdict = Verdict(valid=valid, why="", parts={f"check {n}": part for n in range(parts)})
    text = explain(ELEVEN, verdict)
    assert len(text) <= LINES_MAX == 25
    assert f"Run it again:  {COMMAND}" in text[-2:]
    assert text[-1].startswith("Shrink it:" if valid is False else "Run it again:")


def test_of_many_convictions_the_first_is_told_in_full_and_none_is_forgotten() -> None:
    """The others have a sentence each."""
    parts = {f"check-{n}": Verdict(valid=False, why=f"reason {n}") for n in range(3)}
    one = check_all(ELEVEN, CHECKS)
    many = merge({**one.parts, **parts, **{f"more-{n}": part for n in range(4)
                                           for part in parts.values()}})
    text = explain(ELEVEN, many)
    assert len(text) <= LINES_MAX and "Two different increments" in text[2]
    assert any(line.startswith("check-1: reason 1.") for line in text)


def test_a_valid_run_has_nothing_to_explain() -> None:
    """One line, and the command."""
    verdict = Verdict(valid=True, why="all 1 checks hold", parts={"a": Verdict(valid=True, why="")})
    assert explain(ELEVEN, verdict) == [
        "VALID  counter, nemesis crash,log-loss, bug no-output-rule, seed 7", "",
        f"Run it again:  {COMMAND}"]


def test_a_history_from_a_stranger_has_no_command() -> None:
    """Its name stands in the headline instead."""
    record = Record({"name": "a.edn, model counter"}, ELEVEN.history, Trace())
    text = explain(record, Verdict(valid=True, why=""))
    assert text == ["VALID  a.edn, model counter"]


def test_unknown_says_why() -> None:
    """It is never bare."""
    verdict = Verdict(valid=None, why="", parts={
        "linearizable": Verdict(valid=None, why="gave up, 100 steps: at op 3")})
    assert "Gave up, 100 steps: at op 3." in explain(ELEVEN, verdict)


def test_how_it_came_to_that_is_told_once() -> None:
    """Paragraphs with the same circumstances do not repeat them."""
    crashed = (CAME, "  0.003000 s  the latest fault: crash (crashed n1).")
    told = _once([(["One.", *crashed], "one"), (["Two.", *crashed], "two"),
                  (["Three.", *crashed, "  And more."], "three")])
    assert [lines for lines, _ in told] == [
        ["One.", *crashed], ["Two."], ["Three.", *crashed, "  And more."]]


def test_clients_that_went_unanswered_are_witnesses_too() -> None:
    """After a failed recovery nobody says that no client noticed."""
    record = Record(TEST, history(
        (1, Op(NEMESIS, "info", "heal")), (9_000, Op(0, "invoke", "inc")),
        (9_001, Op(0, "info", "inc"))), ELEVEN.trace)
    checks = {"linearizable": CHECKS["linearizable"], "quiet": quiet}
    text = "\n".join(explain(record, check_all(record, checks)))
    assert "went unanswered" in text
    assert "no client" not in text
