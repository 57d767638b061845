"""Pairing: what makes up a call, and what no history may contain."""

from __future__ import annotations

import pytest

from histories import NEMESIS, UNKNOWN, Call, History, Op, UsageError
from histories.value import quantity


def test_calls_are_invocations_with_their_completions() -> None:
    history = History([
        Op(0, "invoke", "inc", None, 10),
        Op(1, "invoke", "read", None, 11),
        Op(NEMESIS, "info", "kill", "n1", 12),
        Op(0, "ok", "inc", 1, 20),
        Op(1, "info", "read", None, 21, error="timeout"),
        Op(2, "invoke", "cas", [1, 2], 30),
        Op(2, "fail", "cas", [1, 2], 31),
        Op(3, "invoke", "inc", None, 40),
    ])
    assert history.calls() == [
        Call(0, "inc", None, 1, 0, 3, "ok", 10, 20),
        Call(1, "read", None, UNKNOWN, 1, 4, "info", 11, 21),
        Call(2, "cas", (1, 2), UNKNOWN, 5, 6, "fail", 30, 31),
        Call(3, "inc", None, UNKNOWN, 7, None, "info", 40, -1),
    ]
    assert [call.end for call in history.calls()] == [3, None, 6, None]
    assert [call.indexes for call in history.calls()] == [(0, 3), (1, 4), (5, 6), (7,)]
    assert [str(call) for call in history.calls()] == [
        "inc -> 1", "read (pending)", "cas [1 2] (failed)", "inc (pending)",
    ]


def test_clients_leaves_the_nemesis_out_and_keeps_indexes() -> None:
    history = History([Op(0, "invoke", "f"), Op(NEMESIS, "info", "x"), Op(0, "ok", "f")])
    assert [op.index for op in history.clients()] == [0, 2]
    assert history.clients().calls() == history.calls()


def test_by_groups_calls_in_the_order_of_appearance() -> None:
    history = History([Op(process, "invoke", f) for process, f in enumerate("baba")])
    groups = history.by(lambda call: call.f)
    assert [(f, [call.process for call in calls]) for f, calls in groups.items()] == [
        ("b", [0, 2]), ("a", [1, 3]),
    ]


def test_a_process_that_failed_goes_on() -> None:
    ops = [Op(0, "invoke", "f"), Op(0, "fail", "f"), Op(0, "invoke", "f"), Op(0, "ok", "f")]
    assert [call.outcome for call in History(ops).calls()] == ["fail", "ok"]


@pytest.mark.parametrize("ops, message", [
    ([Op(0, "ok", "f")], "op 0: process 0 completes a call it has not invoked"),
    ([Op(0, "invoke", "f"), Op(0, "ok", "f"), Op(0, "ok", "f")],
     "op 2: process 0 completes a call it has not invoked"),
    ([Op(0, "invoke", "f"), Op(0, "invoke", "f")],
     "op 1: process 0 already has an open call"),
    ([Op(0, "invoke", "f"), Op(0, "info", "f"), Op(0, "ok", "f")],
     "op 2: process 0 completes a call after an info completion"),
    ([Op(0, "invoke", "f"), Op(0, "info", "f"), Op(0, "invoke", "f")],
     "op 2: process 0 went on after an info completion"),
    ([Op(0, "invoke", "f"), Op(0, "ok", "g")], "op 1: 'g' completes a call of 'f'"),
    ([Op(0, "begin", "f")], "op 0: type 'begin' is none of invoke, ok, fail, info"),
    ([Op(NEMESIS, "begin", "f")], "op 0: type 'begin' is none of invoke, ok, fail, info"),
    ([Op("client-1", "invoke", "f")],
     "op 0: process 'client-1' is no whole number and not \"nemesis\""),
    ([Op(0, "invoke", "f", index=4), Op(0, "ok", "f", index=4)],
     "op 4: index 4 comes after index 4"),
])
def test_what_no_history_may_contain(ops: list[Op], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        History(ops).calls()
    assert str(caught.value) == message


@pytest.mark.parametrize("count, many, words", [
    (0, "", "0 runs"), (1, "", "1 run"), (2, "", "2 runs"), (2, "courses", "2 courses")])
def test_a_quantity_in_words(count: int, many: str, words: str) -> None:
    assert quantity(count, "run", many) == words


def test_a_problem_names_file_and_line() -> None:
    history = History([Op(0, "ok", "f")], source="some.edn", lines=[12])
    with pytest.raises(UsageError, match=r"^some\.edn:12: op 0: process 0 completes"):
        history.pairs
