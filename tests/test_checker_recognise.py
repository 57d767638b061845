"""Which model a history is taken for, and when that is asked instead."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from random_histories import MAKERS, random_ops

from checker import models
from checker.recognise import recognise
from histories import History, Op, UsageError
from histories.read import read_history

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
MODEL_OF_FOLDER = {"porcupine-etcd": "cas-register", "porcupine-kv": "kv",
                   "cas-register": "cas-register", "mutex": "mutex"}


def history(*calls: tuple[str, Any, Any]) -> History:
    """Calls one after the other: f, argument, answer."""
    ops = [Op("nemesis", "info", "kill")]
    for f, arg, ret in calls:
        ops += [Op(0, "invoke", f, arg), Op(0, "ok", f, ret)]
    return History(ops, source="x")


@pytest.mark.parametrize("name, calls", [
    ("register", [("write", 1, 1), ("read", None, 1)]),
    ("register", [("write", [1, 2], None), ("read", None, [1, 2])]),
    ("cas-register", [("cas", [1, 2], [1, 2]), ("read", None, 2)]),
    ("counter", [("inc", None, 1)]),
    ("counter", [("add", 2, 2), ("read", None, 2)]),
    ("set", [("add", 2, 2), ("read", None, [2])]),
    ("set", [("add", 2, 2), ("contains", 2, True)]),
    ("kv", [("get", ["k", None], ["k", ""]), ("cas", ["k", [1, 2]], ["k", [1, 2]])]),
    ("list-append", [("txn", [["append", 1, 2], ["r", 1, None]],
                      [["append", 1, 2], ["r", 1, [2]]])]),
    ("multi-register", [("txn", [["w", 1, 2]], [["w", 1, 2]])]),
    ("mutex", [("acquire", None, None), ("release", None, None)]),
    ("stack", [("push", 1, 1), ("pop", None, 1)]),
    ("echo", [("echo", [1, "a"], [1, "a", 0])]),
    ("token", [("draw", 1, [1, 2, None]), ("ask", 1, [1, 2])]),
])
def test_it_is_taken_for_the_only_model_that_is_meant(
    name: str, calls: list[tuple[str, Any, Any]]
) -> None:
    model, why = recognise(history(*calls))
    assert model.name == name
    assert why.startswith(f"taken for a {name}: its calls are ")


@pytest.mark.parametrize("calls, problem", [
    ([], "x: a history without calls tells no model"),
    ([("jump", 1, 2)], "x: its calls are jump, which fits no model that comes with the checker"),
    ([("txn", [["x", 1, 2]], None)], "x: its calls are txn, which fits no model that comes with"),
    ([("read", None, 0)], "x: its calls are read, which may be a counter or register"),
    ([("add", 1, 1)], "x: its calls are add, which may be a counter or set"),
    ([("enqueue", 1, 1), ("dequeue", None, 1)],
     "x: its calls are dequeue and enqueue, which may be a queue or unordered-queue"),
    ([("acquire", "me", 1), ("release", "me", None)],
     "may be a fenced-mutex, owner-mutex or reentrant-mutex"),
    ([("txn", [["r", 1, None]], [["r", 1, None]])], "may be a list-append or multi-register"),
])
def test_what_is_open_is_asked(calls: list[tuple[str, Any, Any]], problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        recognise(history(*calls))
    assert problem in str(caught.value)


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_random_histories_are_recognised(name: str) -> None:
    made = random_ops(Random(1), models.by_name(name), calls=60, clients=4, wrong=0.1)
    assert recognise(History(made))[0].name == name


@pytest.mark.skipif(not DATA.is_dir(), reason="there are no histories of others here")
def test_the_histories_of_others_are_recognised() -> None:
    """Some of each folder."""
    for folder, name in MODEL_OF_FOLDER.items():
        files = [DATA / path for path in json.loads((DATA / "verdicts.json").read_text())
                 if Path(path).parent.name == folder]
        for path in sorted(files)[:10]:
            found = read_history(path)
            if {op.f for op in found} != {"read", "write"}:
                assert recognise(found)[0].name == name, path
