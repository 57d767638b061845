"""Models of objects whose answers nobody could foresee: against such objects, and brute force."""

from __future__ import annotations

import json
from random import Random
from typing import Any, Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from objects import random_history
from random_histories import brute_force

from checker import Model, linearizable, models
from histories import History, Op


class Thing(Protocol):
    """An object of one part, and the calls that clients make to it."""

    def draw(self, rng: Random) -> tuple[str, Any]:
        """A call: f and its argument."""

    def apply(self, f: str, arg: Any) -> Any:
        """What an ok completion of the call carries; None when it fails."""


class Tokens:
    """One slot; tokens are few, so that some are drawn twice."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.token: str | None = None

    def draw(self, rng: Random) -> tuple[str, Any]:
        return rng.choice(["draw", "ask", "ask"]), 0

    def apply(self, f: str, arg: Any) -> Any:
        before = self.token
        if f == "draw":
            self.token = self.rng.choice("abc")
            return [arg, self.token, before]
        return [arg, before]


class Echoes:
    """One stream."""

    def __init__(self, rng: Random) -> None:
        self.count = 0

    def draw(self, rng: Random) -> tuple[str, Any]:
        return "echo", [0, rng.randrange(2)]

    def apply(self, f: str, arg: Any) -> Any:
        self.count += 1
        return [*arg, self.count]


class Leases:
    """One lock, whose lease ends by chance; clients release what they may not hold."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.token = 0
        self.owner: int | None = None

    def draw(self, rng: Random) -> tuple[str, Any]:
        f = rng.choice(["acquire", "acquire", "release", "holder"])
        return f, [0, *([rng.randrange(2), rng.randrange(1, 4)] if f != "holder" else [])]

    def apply(self, f: str, arg: Any) -> Any:
        if self.rng.random() < 0.3:
            self.owner = None
        if f == "release":
            if (self.owner, self.token) != (arg[1], arg[2]):
                return None
            self.owner = None
            return arg
        if f == "holder":
            return [0, None, None] if self.owner is None else [0, self.token, self.owner]
        if self.owner is not None:
            return [0, "held", self.token, self.owner]
        self.token += self.rng.randrange(1, 3)
        self.owner = arg[1]
        return [0, "granted", self.token]


THINGS: dict[str, tuple[Model, type[Thing]]] = {
    "token": (models.token, Tokens),
    "echo": (models.echo, Echoes),
    "fenced-lease": (models.fenced_lease, Leases),
}


@pytest.mark.parametrize("name", sorted(THINGS))
@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32), calls=st.integers(1, 8))
def test_agrees_with_brute_force(name: str, seed: int, calls: int) -> None:
    """What happened is always accepted; what was spoilt is judged as trying all orders does."""
    model, kind = THINGS[name]
    rng = Random(seed)
    thing = kind(rng)   # type: ignore[call-arg]
    true = random_history(rng, thing.draw, thing.apply, calls=calls, spoilt=False)
    assert linearizable(true, model).valid is True
    thing = kind(rng)   # type: ignore[call-arg]
    made = random_history(rng, thing.draw, thing.apply, calls=calls, spoilt=True)
    assert linearizable(made, model).valid is brute_force(made.calls(), model)


def judge(model: Model, text: str) -> bool | None:
    """A history in words: `0+draw:0` invokes, `0=[0,"a",null]` is ok, `0?` is info; values JSON."""
    ops: list[Op] = []
    for word in text.split():
        process, mark, rest = int(word[0]), word[1], word[2:]
        if mark == "+":
            f, _, value = rest.partition(":")
            ops.append(Op(process, "invoke", f, json.loads(value)))
            continue
        begun = next(op for op in reversed(ops) if op.process == process)
        ops.append(begun._replace(type="info") if mark == "?"
                   else begun._replace(type="ok", value=json.loads(rest)))
    return linearizable(History(ops), model).valid


@pytest.mark.parametrize("text, valid", [
    ('0+draw:0 0=[0,"a","b"] 0+ask:0 0=[0,"a"]', False),        # nobody has drawn what it replaced
    ('0+draw:0 0=[0,"a",null] 0+ask:0 0=[0,"a"] 0+ask:0 0=[0,"a"]', True),
    ('0+draw:0 0=[0,"a",null] 0+ask:0 0=[0,"b"]', False),
    ('0+draw:0 0=[0,"a",null] 0+ask:0 0=[0,null]', False),      # forgotten
    ('0+draw:0 0? 1+ask:0 1=[0,null]', True),                   # not drawn yet, perhaps never
    ('0+draw:0 0? 1+ask:0 1=[0,"b"] 1+ask:0 1=[0,"b"]', True),
    ('0+draw:0 0? 1+ask:0 1=[0,"b"] 1+ask:0 1=[0,null]', False),
    ('0+draw:0 0? 1+ask:0 1=[0,"b"] 1+ask:0 1=[0,"c"]', False),
    ('0+draw:0 0? 1+draw:0 1=[0,"c","b"] 1+ask:0 1=[0,"c"]', True),
    ('0+draw:0 0=[0,"a",null] 1+draw:0 1=[0,"b",null] 0+ask:0 0=[0,"b"]', False),   # a was lost
    ('0+draw:0 0=[0,"a",null] 1+draw:1 1=[1,"b",null] 0+ask:0 0=[0,"a"]', True),    # other slot
])
def test_tokens(text: str, valid: bool) -> None:
    """What was told once is told again."""
    assert judge(models.token, text) is valid


@pytest.mark.parametrize("text, valid", [
    ('0+echo:[7,"a"] 0=[7,"a",1] 0+echo:[7,"a"] 0=[7,"a",2]', True),
    ('0+echo:[7,"a"] 0=[7,"a",1] 0+echo:[7,"b"] 0=[7,"b",1]', False),
    ('0+echo:[7,"a"] 0=[7,"a",2]', False),
    ('0+echo:[7,"a"] 0=[7,"b",1]', False),                      # changed on its way
    ('0+echo:[7,"a"] 0? 1+echo:[7,"b"] 1=[7,"b",2]', True),
    ('0+echo:[7,"a"] 0? 1+echo:[7,"b"] 1=[7,"b",1] 1+echo:[7,"b"] 1=[7,"b",3]', True),
    ('0+echo:[7,"a"] 0=[7,"a",1] 1+echo:[8,"a"] 1=[8,"a",1]', True),
])
def test_echoes(text: str, valid: bool) -> None:
    """What was sent comes back, numbered."""
    assert judge(models.echo, text) is valid


@pytest.mark.parametrize("text, valid", [
    ('0+acquire:[1,0,9] 0=[1,"granted",5] 1+acquire:[1,1,9] 1=[1,"granted",7]', True),    # it ended
    ('0+acquire:[1,0,9] 0=[1,"granted",5] 1+acquire:[1,1,9] 1=[1,"granted",5]', False),
    ('0+acquire:[1,0,9] 0=[1,"granted",5] 1+acquire:[1,1,9] 1=[1,"granted",4]', False),
    ('0+acquire:[1,0,9] 0=[1,"granted",5] 1+acquire:[1,1,9] 1=[1,"held",5,0]', True),
    ('0+acquire:[1,0,9] 0=[1,"granted",5] 1+acquire:[1,1,9] 1=[1,"held",5,1]', False),
    ('0+acquire:[1,0,9] 0=[1,"granted",5] 0+release:[1,0,5] 0=[1,0,5] 1+holder:[1] 1=[1,5,0]',
     False),
    ('0+acquire:[1,0,9] 0=[1,"granted",5] 1+holder:[1] 1=[1,null,null] 1+holder:[1] 1=[1,5,0]',
     False),                                                    # an ended lease does not come back
    ('0+acquire:[1,0,9] 0? 1+holder:[1] 1=[1,8,0] 1+acquire:[1,1,9] 1=[1,"granted",9]', True),
    ('0+acquire:[1,0,9] 0? 1+holder:[1] 1=[1,8,0] 1+acquire:[1,1,9] 1=[1,"granted",8]', False),
    ('0+acquire:[1,0,9] 0? 1+holder:[1] 1=[1,8,2]', False),
    ('0+acquire:[1,0,9] 0? 1+holder:[1] 1=[1,null,null] 1+holder:[1] 1=[1,8,0]', True),
    ('0+release:[1,0,5] 0=[1,0,5]', False),
    ('0+acquire:[1,0,9] 0=[1,"granted",5] 1+acquire:[2,1,9] 1=[2,"granted",1]', True),
])
def test_leases(text: str, valid: bool) -> None:
    """Tokens increase; the lease that is held is the one granted last."""
    assert judge(models.fenced_lease, text) is valid
