"""Every model against an object written on its own, against brute force, and in both searches."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from objects import random_history
from random_histories import MAKERS, brute_force
from test_checker_linearizability import history, judge
from things import THINGS

from checker import Inconsistent, Model, OneOf, Online, linearizable, models, native
from checker import search as plain
from checker.found import ALL, ShortCut
from checker.problem import Table, build
from histories import History, Op, UsageError


def made(name: str, seed: int, calls: int, spoilt: bool) -> History:
    """A random history of the object that goes with a model; spoilt, a failure may be told ok."""
    rng = Random(seed)
    thing = THINGS[name](rng)   # type: ignore[call-arg]
    ops = random_history(rng, thing.draw, thing.apply, calls=calls, spoilt=spoilt).ops
    failed = [place for place, op in enumerate(ops) if op.type == "fail"]
    if spoilt and failed and rng.random() < 0.5:
        place = rng.choice(failed)
        ops = [*ops[:place], ops[place]._replace(type="ok"), *ops[place + 1:]]
    return History(ops)


def agree(name: str, seed: int, calls: int, cuts: ShortCut) -> bool:
    """What happened is accepted; what was spoilt is judged as by brute force, in all ways."""
    model = models.by_name(name)
    assert linearizable(made(name, seed, calls, False), model).valid is True
    spoilt = made(name, seed, calls, True).calls()
    expected = brute_force(spoilt, model)
    for search in (native.search, plain.search):
        for each in (cuts, ALL):
            table = Table(model)
            assert search(build(spoilt, table), table, cuts=each).valid is expected
    return expected


@pytest.mark.parametrize("name", sorted(THINGS))
@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), calls=st.integers(1, 8), cuts=st.integers(0, int(ALL)))
def test_agrees_with_brute_force(name: str, seed: int, calls: int, cuts: int) -> None:
    agree(name, seed, calls, ShortCut(cuts))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(THINGS))
def test_agrees_with_brute_force_on_many(name: str) -> None:
    answers = [agree(name, seed, 2 + seed % 8, ShortCut(seed % 64)) for seed in range(5_000)]
    assert 0.2 < sum(answers) / len(answers) < 0.99


def test_every_model_is_tried() -> None:
    """No model is without an object or a maker of histories; these have theirs elsewhere."""
    elsewhere = {"token", "echo", "fenced-lease"}
    tried = {name.partition(":")[0] for name in [*THINGS, *MAKERS, *elsewhere]}
    assert tried == {name.partition(":")[0] for name in models.MODELS}


def test_the_page_has_every_model_and_its_calls() -> None:
    """The table of docs/judge.md is what the models say of themselves."""
    page = (Path(__file__).resolve().parent.parent / "docs/judge.md").read_text(encoding="utf-8")
    table = [line for line in page.partition("\n## Models\n")[2].splitlines()
             if line.startswith("| `")]
    assert table == [
        f"| `{name}` | {'; '.join(f'`{f}`: {words}' for f, words in model.fs.items())} |"
        for name, model in sorted(models.MODELS.items())]


@pytest.mark.parametrize("name", ["README.md", "docs/judge.md"])
def test_the_examples_run(name: str) -> None:
    """Whoever copies an example gets what it promises."""
    page = (Path(__file__).resolve().parent.parent / name).read_text(encoding="utf-8")
    for example in re.findall(r"^```python\n(?!import pytest)(.*?)^```", page,
                              flags=re.MULTILINE | re.DOTALL):
        exec(example, {})


@pytest.mark.parametrize("text, name, valid", [
    ("0+dec 0:dec=-1", "counter", True),
    ("0+dec 0:dec=-1", "bounded-counter:3", False),
    ("0+add=4 0:add=4", "bounded-counter:3", False),
    ('0+put=["k","a"] 0:put 0+delete=["k",null] 0:delete 0+get=["k",null] 0:get=["k",""]',
     "kv", True),
    ('0+increment=["k",null] 0:increment=["k",1] 0+increment=["k",4] 0:increment=["k",5]',
     "kv", True),
    ("0+add=1 0:add 0+contains=1 0:contains=false", "set", False),
    ("0+add=1 0?add=1 1+read 1:read=[1]", "set", True),
    ("0+enqueue=1 0:enqueue 0+enqueue=2 0:enqueue 0+dequeue 0:dequeue=2", "queue", False),
    ("0+enqueue=1 0:enqueue 0+enqueue=2 0:enqueue 0+dequeue 0:dequeue=2", "unordered-queue", True),
    ("0+enqueue=1 0:enqueue 0+dequeue 0?dequeue 1+dequeue 1:dequeue=1", "unordered-queue", True),
    ("0+enqueue=1 0:enqueue 0+dequeue 0:dequeue=1 1+dequeue 1:dequeue=1", "unordered-queue", False),
    ("0+enqueue=1 0:enqueue 0+dequeue 0:dequeue", "queue", False),
    ("0+push=1 0:push 0+push=2 0:push 0+pop 0:pop=2 0+pop 0:pop=1 0+pop 0:pop", "stack", True),
    ("0+insert=[2,7] 0:insert 0+insert=[1,9] 0:insert 0+pop 0:pop=[1,9]", "priority-queue", True),
    ("0+acquire=1 0:acquire 1+release=2 1:release", "owner-mutex", False),
    ("0+acquire=1 0:acquire 0+acquire=1 0:acquire 1+acquire=2 1:acquire", "reentrant-mutex", False),
    ("0+acquire=1 0:acquire=5 0+release=1 0:release 1+acquire=2 1:acquire=5", "fenced-mutex",
     False),
    ("0+acquire 0:acquire 1+acquire=2 1:acquire", "semaphore:2", False),
    ("0+acquire=1 0:acquire 1+acquire=2 1:acquire 0+renew=1 0:renew", "lease", False),
    ('0+txn=[["w","x",1],["r","x",null]] 0:txn=[["w","x",1],["r","x",1]]', "multi-register", True),
    ('0+txn=[["w","x",1]] 0:txn=[["w","x",2]]', "multi-register", False),
    ('0+txn=[["append","x",1]] 0?txn 1+txn=[["r","x",null]] 1:txn=[["r","x",[1]]]',
     "list-append", True),
    ('1+txn=[["r","x",null]] 1:txn=[["r","x",[]]]', "list-append", True),
])
def test_small_history(text: str, name: str, valid: bool) -> None:
    assert judge(text, models.by_name(name)) is valid


@pytest.mark.parametrize("name", ["owner-mutex", "reentrant-mutex", "fenced-mutex", "lease"])
@pytest.mark.parametrize("f", ["acquire", "release"])
def test_nil_owns_nothing(name: str, f: str) -> None:
    """Else two who hold a lock at once would look like nobody who does."""
    with pytest.raises(UsageError, match=f"{f}.*nil is no owner; {f} expects the owner"):
        judge(f"0+{f} 0:{f}=1 1+{f} 1:{f}=2", models.by_name(name))


@pytest.mark.parametrize("name", ["semaphore:0", "semaphore:x", "semaphore", "stack:3"])
def test_a_size_that_makes_no_sense(name: str) -> None:
    with pytest.raises(UsageError):
        models.by_name(name)


def test_a_step_that_is_not_known() -> None:
    with pytest.raises(UsageError, match="op 0: list-append cannot take .* a step 'w'"):
        judge('0+txn=[["w","x",1]] 0:txn', models.list_append)


# Models of others

def _coin(state: Any, f: str, arg: Any, ret: Any) -> Any:
    """A coin that is thrown, then looked at."""
    if f == "throw":
        return OneOf(frozenset({"heads", "tails"}))
    return state if state == ret else Inconsistent(f"saw {ret}, it shows {state}")


@pytest.mark.parametrize("seen, valid", [
    (["heads", "heads"], True), (["tails", "tails"], True), (["heads", "tails"], False),
])
def test_a_step_with_several_outcomes(seen: list[str], valid: bool) -> None:
    """Whatever it did, it did once."""
    coin = Model(name="coin", init="heads", step=_coin, fs={"throw": "nothing", "look": "nothing"})
    looks = " ".join(f'0+look 0:look="{face}"' for face in seen)
    verdict = linearizable(history(f"0+throw 0:throw {looks}"), coin)
    assert verdict.valid is valid
    if not valid:
        assert verdict.evidence["orders"][0]["rejected"][0]["why"] == "saw tails, it shows heads"


def test_a_step_without_any_outcome_is_inconsistent() -> None:
    never = Model(name="never", init=0, step=lambda *_: OneOf(frozenset()), fs={"go": "nothing"})
    assert judge("0+go 0:go", never) is False


class Box:
    """A state that can be changed in place, and whose hash follows."""

    def __init__(self) -> None:
        self.items: list[Any] = []

    def __hash__(self) -> int:
        return len(self.items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Box) and self.items == other.items


def test_a_model_that_mutates_is_refused_with_the_call() -> None:
    def step(state: Any, f: str, arg: Any, ret: Any) -> Any:
        state.items.append(arg)
        return state

    bad = Model(name="bad", init=Box(), step=step, fs={"put": "anything"})
    message = "op 2: model bad changes its state in place at put 7; step must answer a new one"
    with pytest.raises(UsageError, match=message):
        judge("0+put=6 0!put=6 0+put=7 0:put=7", bad)


def _number(state: Any, f: str, arg: Any, ret: Any) -> Any:
    """A register of another's making."""
    if f == "put":
        return arg
    return state if state == ret else Inconsistent(f"saw {ret}, it holds {state}")


class Rude:
    """A state that cannot even be hashed without a fuss."""

    def __hash__(self) -> int:
        raise ZeroDivisionError("no hash")


def _user(step: Any = _number, **said: Any) -> Model:
    return Model(name="user", init=0, step=step, fs={"put": "anything", "look": "nothing"}, **said)


@pytest.mark.parametrize("model, message", [
    (_user(lambda *_: [1]), "op 0: .*user .*put 7.*unhashable type: 'list'"),
    (_user(lambda *_: Rude()), "op 0: .*user .*put 7.*ZeroDivisionError: no hash"),
    (_user(lambda *_: Inconsistent), "op 0: .*user .*put 7.*Inconsistent"),
    (_user(lambda *_: OneOf), "op 0: .*user .*put 7.*OneOf"),
    (_user(lambda *_: OneOf(cast(Any, [[1]]))), "op 0: .*user .*put 7.*unhashable type: 'list'"),
    (_user(kind=lambda *_: "wrote"), "op 0: .*user .*put 7.*'wrote'.*read, write, update"),
    (_user(needs=lambda *_: [1]), "op 0: .*user .*put 7.*unhashable type: 'list'"),
    (_user(partition=lambda _call: []), "op 0: .*user .*put 7.*unhashable type: 'list'"),
])
def test_an_ill_behaved_model_is_refused_with_the_call(model: Model, message: str) -> None:
    """In one line, whole and online."""
    spoken = history("0+put=7 0:put=7 0+look 0:look=7")
    with pytest.raises(UsageError, match=message):
        linearizable(spoken, model)
    with pytest.raises(UsageError, match=message):
        online = Online(model)
        for op in spoken:
            online.feed(op)


def test_a_monitor_that_is_not_known() -> None:
    with pytest.raises(UsageError, match="model user: there is no monitor 'nope', only .*"):
        judge("0+look 0:look=0", _user(monitors=("nope",)))


def test_several_states_may_be_a_list() -> None:
    coin = _user(lambda state, f, arg, ret: OneOf(cast(Any, [1, 2])) if f == "put" else _number(
        state, f, arg, ret))
    assert judge("0+put=7 0:put=7 0+look 0:look=2", coin) is True
    assert judge("0+put=7 0:put=7 0+look 0:look=3", coin) is False


def test_several_states_that_become_one_which_cannot_be_hashed() -> None:
    coin = _user(lambda state, f, arg, ret: OneOf(frozenset({1, 2})) if f == "put" else [state])
    with pytest.raises(UsageError, match="op 2: .*user .*unhashable"):
        judge("0+put=7 0:put=7 0+look 0:look=2", coin)


def test_an_operation_named_by_no_word_is_refused() -> None:
    ops = [Op(0, "invoke", ["put"], 1), Op(0, "ok", ["put"], 1)]    # type: ignore[arg-type]
    with pytest.raises(UsageError, match="op 0: f is a word"):
        linearizable(History(ops), models.register)


def test_numbers_too_long_to_print_are_judged() -> None:
    """Python refuses to print more than some thousand digits."""
    ops = [Op(0, "invoke", "write", 10**5000), Op(0, "ok", "write", 10**5000),
           Op(0, "invoke", "read"), Op(0, "ok", "read", 10**5000 + 1)]
    assert linearizable(History(ops), models.register).valid is False


@pytest.mark.parametrize("had", [[1, True], [True, 1], [0, False], [False, 0]])
def test_equal_answers_are_judged_alike_whichever_comes_first(had: list[Any]) -> None:
    ops = [op for _twice in "12" for op in (Op(0, "invoke", "add", "a"), Op(0, "ok", "add", "a"))]
    for each in had:
        ops += [Op(0, "invoke", "contains", "a"), Op(0, "ok", "contains", each)]
    assert linearizable(History(ops), models.set_model).valid is bool(had[0])


@pytest.mark.parametrize("before, amount, after", [(0.1, 0.9, 1), (0.1, 1.9, 2), (1.5, 0.5, 2)])
def test_fractions_are_added_as_the_model_adds_them(
    before: float, amount: float, after: int
) -> None:
    """The sum tells less than it seems: 1 - 0.9 is not 0.1."""
    ops = [Op(0, "invoke", "add", before), Op(0, "ok", "add", before),
           Op(0, "invoke", "inc", amount), Op(0, "ok", "inc", after)]
    assert linearizable(History(ops), models.counter).valid is True
