"""Random histories of every model, of few calls, true or spoilt; some in forms that monitors take.

A maker plans calls, and answers them from the state that the model itself has reached.
"""

from __future__ import annotations

from random import Random
from typing import Any, Callable, NamedTuple

from checker import Model, models
from checker.model import Inconsistent, OneOf
from checker.monitors import judge, judge_numbered, writes
from checker.problem import Table, build
from histories import UNKNOWN, Call, History, Op
from histories.value import freeze, show

Planned = tuple[str, Any]
Answer = Callable[[Random, Any, str, Any], Any]


class Maker(NamedTuple):
    """A model, the calls of a run of some size, and what an ok completion carries in a state."""

    model: Model
    plan: Callable[[Random, int], list[Planned]]
    answer: Answer


def each(draw: Callable[[Random, int], Planned]) -> Callable[[Random, int], list[Planned]]:
    """A plan of calls that are drawn one by one, by their number."""
    return lambda rng, size: [draw(rng, number) for number in range(1, size + 1)]


def of(*fs: str, args: tuple[Any, ...] = (None,)) -> Callable[[Random, int], list[Planned]]:
    """A plan of calls of these names, with any of these arguments."""
    return each(lambda rng, _number: (rng.choice(fs), rng.choice(args)))


def argument(_rng: Random, _state: Any, _f: str, arg: Any) -> Any:
    """The answer of calls that carry their argument back."""
    return arg


# Registers and maps

def _repeated(rng: Random, _number: int) -> Planned:
    f = rng.choice(["read", "write", "cas"])
    return f, {"read": None, "write": rng.randrange(3)}.get(f, [rng.randrange(3), rng.randrange(3)])


def _written(rng: Random, _number: int) -> Planned:
    f = rng.choice(["read", "write"])
    return f, rng.randrange(3) if f == "write" else None


def _distinct(rng: Random, number: int) -> Planned:
    f = rng.choice(["read", "read", "write"])
    return f, number if f == "write" else None


def _chained(rng: Random, number: int) -> Planned:
    """A cas hopes that the initial value, or one made at about this time, is there."""
    f = rng.choice(["read", "read", "write", "cas", "cas", "cas"])
    if f == "cas":
        return f, [rng.choice([None, *range(max(number - 4, 1), number + 3)]), number]
    return f, number if f == "write" else None


def _read(_rng: Random, state: Any, f: str, arg: Any) -> Any:
    return state if f == "read" else arg


def _keyed(rng: Random, number: int) -> Planned:
    f = rng.choice(["get", "get", "put"])
    return f, [rng.randrange(2), str(number) if f == "put" else None]


def _edited(rng: Random, _number: int) -> Planned:
    f = rng.choice(["get", "put", "append", "delete", "cas"])
    return f, [rng.randrange(2), {"put": "a", "append": "b", "cas": ["a", "ab"]}.get(f)]


def _got(_rng: Random, state: Any, f: str, arg: Any) -> Any:
    return [arg[0], state] if f == "get" else arg


# Counters, semaphores

def _counted(_rng: Random, state: Any, f: str, arg: Any) -> Any:
    step = 1 if arg is None else arg
    return {"inc": state + step, "dec": state - step, "read": state}.get(f)


def _added(rng: Random, size: int) -> list[Planned]:
    amount = rng.choice([1, 2, -3])
    return [("read", None) if rng.random() < 0.5 else ("add", amount) for _each in range(size)]


# Sets, queues, stacks

def _once(rng: Random, size: int) -> list[Planned]:
    """Each element is added and removed once at most."""
    changes = [(f, element) for f in ("add", "remove") for element in range(1 + size // 4)]
    asked = [("contains", rng.randrange(1 + size // 4)) for _each in range(size)]
    calls = rng.sample(changes, rng.randrange(1, len(changes) + 1)) + asked
    calls = calls[:size]
    rng.shuffle(calls)
    return calls


def _had(_rng: Random, state: Any, f: str, arg: Any) -> Any:
    return {"contains": arg in state, "read": sorted(state)}.get(f, arg)


def _items(put: str, take: str, *, distinct: bool) -> Callable[[Random, int], list[Planned]]:
    def plan(rng: Random, size: int) -> list[Planned]:
        values = rng.sample(range(size), size) if distinct else [rng.randrange(2)] * size
        takes = rng.choice([0.3, 0.5])
        return [(take, None) if rng.random() < takes else (put, values[at]) for at in range(size)]

    return plan


def _first(_rng: Random, state: Any, f: str, arg: Any) -> Any:
    return (state[0] if state else None) if f in ("dequeue", "pop") else arg


def _some(rng: Random, state: Any, f: str, arg: Any) -> Any:
    return arg if f == "enqueue" else rng.choice(sorted(state)) if state else None


# Locks and the rest

def _token(_rng: Random, state: Any, f: str, arg: Any) -> Any:
    return state[1] + 1 if f == "acquire" else arg


def _holder(rng: Random, state: Any, f: str, arg: Any) -> Any:
    return rng.choice([None, state]) if f == "holder" else arg


def _leased(rng: Random, number: int) -> Planned:
    f = rng.choice(["acquire", "acquire", "release", "holder"])
    return f, [0] if f == "holder" else [0, rng.randrange(2), rng.randrange(1, 4)]


def _granted(rng: Random, state: Any, f: str, arg: Any) -> Any:
    if f == "holder":
        return [0, state.token, state.owner]
    held = f == "acquire" and state.owner is not None and rng.random() < 0.5
    return [0, "held", state.token, state.owner] if held else [0, "granted", state.token + 1]


def _steps(*known: tuple[str, Any]) -> Callable[[Random, int], list[Planned]]:
    def draw(rng: Random, number: int) -> Planned:
        chosen = [rng.choice(known) for _each in range(rng.randrange(1, 3))]
        return "txn", [[what, rng.choice("xy"), value and number] for what, value in chosen]

    return each(draw)


def _done(_rng: Random, state: Any, _f: str, arg: Any) -> Any:
    held, answer = dict(state), []
    for what, key, value in arg:
        if what == "append":
            held[key] = [*(held.get(key) or ()), value]
        elif what == "w":
            held[key] = value
        answer.append([what, key, held.get(key) if what == "r" else value])
    return answer


def _drawn(rng: Random, state: Any, f: str, arg: Any) -> Any:
    return [arg, rng.choice("abc"), state] if f == "draw" else [arg, state]


def _echoed(_rng: Random, state: Any, _f: str, arg: Any) -> Any:
    return [*arg, state + 1]


OWNERS = (1, 2)
MAKERS: dict[str, Maker] = {
    "register": Maker(models.register, each(_written), _read),
    "register, distinct writes": Maker(models.register, each(_distinct), _read),
    "cas-register": Maker(models.cas_register, each(_repeated), _read),
    "cas-register, distinct writes": Maker(models.cas_register, each(_chained), _read),
    "kv": Maker(models.kv, each(_edited), _got),
    "kv, distinct puts": Maker(models.kv, each(_keyed), _got),
    "counter": Maker(models.counter, of("inc", "read", "add", "dec", args=(1, 2)), _counted),
    "counter, increments": Maker(models.counter, of("inc"), _counted),
    "counter, adds": Maker(models.counter, _added, _counted),
    "bounded-counter": Maker(models.bounded_counter(2), of("inc", "dec", "read"), _counted),
    "semaphore": Maker(models.semaphore(2), of("acquire", "release"), argument),
    "set": Maker(models.set_model, of("add", "remove", "contains", "read", args=(1, 2)), _had),
    "set, once": Maker(models.set_model, _once, _had),
    "queue": Maker(models.queue, _items("enqueue", "dequeue", distinct=False), _first),
    "queue, distinct": Maker(models.queue, _items("enqueue", "dequeue", distinct=True), _first),
    "unordered": Maker(models.unordered_queue, _items("enqueue", "dequeue", distinct=False), _some),
    "unordered, distinct": Maker(
        models.unordered_queue, _items("enqueue", "dequeue", distinct=True), _some),
    "priority": Maker(models.priority_queue, _items("insert", "pop", distinct=False), _first),
    "priority, distinct": Maker(
        models.priority_queue, _items("insert", "pop", distinct=True), _first),
    "stack": Maker(models.stack, _items("push", "pop", distinct=False), _first),
    "stack, distinct": Maker(models.stack, _items("push", "pop", distinct=True), _first),
    "mutex": Maker(models.mutex, of("acquire", "release"), argument),
    "owner-mutex": Maker(models.owner_mutex, of("acquire", "release", args=OWNERS), argument),
    "reentrant": Maker(models.reentrant_mutex, of("acquire", "release", args=OWNERS), argument),
    "fenced-mutex": Maker(models.fenced_mutex, of("acquire", "release", args=OWNERS), _token),
    "lease": Maker(models.lease, of("acquire", "renew", "release", "holder", args=OWNERS), _holder),
    "fenced-lease": Maker(models.fenced_lease, each(_leased), _granted),
    "multi-register": Maker(models.multi_register, _steps(("r", None), ("w", 1)), _done),
    "list-append": Maker(models.list_append, _steps(("r", None), ("append", 1)), _done),
    "token": Maker(models.token, of("draw", "ask", args=(0, 1)), _drawn),
    "echo": Maker(models.echo, of("echo", args=([0, 1], [0, 2])), _echoed),
}


class _Open(NamedTuple):
    """A call that took effect, or failed to, and has not returned."""

    type: str
    value: Any


def random_history(rng: Random, maker: Maker, *, calls: int) -> History:
    """Some clients call; some answers are lost; four in five histories are spoilt afterwards."""
    plan = maker.plan(rng, calls)[::-1]
    lost = rng.choice([0, 0.1, 0.3])
    states: dict[Any, Any] = {}
    ops: list[Op] = []
    open_ops: dict[int, Op] = {}
    done: dict[int, _Open] = {}
    clients, eager, fresh = rng.randrange(2, 6), rng.choice([0.2, 0.4, 0.6]), 0
    idle: list[int] = []
    while plan or done or open_ops and rng.random() < 0.8:
        if plan and len(open_ops) < clients and (not open_ops or rng.random() < eager):
            process = idle.pop() if idle else fresh
            fresh += process == fresh
            open_ops[process] = Op(process, "invoke", *plan.pop())
            ops.append(open_ops[process])
            continue
        process = rng.choice(list(open_ops))
        if process not in done:
            done[process] = _take_effect(rng, maker, open_ops[process], states)
        elif rng.random() < 0.7:
            invoked, (kind, value) = open_ops.pop(process), done.pop(process)
            heard = rng.random() >= lost
            ops.append(invoked._replace(type=kind if heard else "info", value=value))
            idle += [process] if heard else []
    return History(rng.choice(SPOILERS)(rng, ops))


def _take_effect(rng: Random, maker: Maker, op: Op, states: dict[Any, Any]) -> _Open:
    model, arg = maker.model, freeze(op.value)
    key = model.partition(Call(0, op.f, arg, None, 0, 0, "ok")) if model.partition else None
    state = states.get(key, model.init)
    answer = maker.answer(rng, state, op.f, op.value)
    after = model.step(state, op.f, arg, freeze(answer))
    if isinstance(after, Inconsistent):
        return _Open("fail", op.value)
    if isinstance(after, OneOf):
        after = rng.choice(sorted(after.states, key=show))
    states[key] = after
    return _Open("ok", answer)


def _as_it_was(_rng: Random, ops: list[Op]) -> list[Op]:
    return ops


def _other_answers(rng: Random, ops: list[Op]) -> list[Op]:
    """A few calls of the same kind exchange their answers."""
    told = [place for place, op in enumerate(ops) if op.type == "ok"]
    for _each in range(rng.randrange(1, 4) if told else 0):
        one = rng.choice(told)
        other = rng.choice([place for place in told if ops[place].f == ops[one].f
                            and ops[place].value != ops[one].value] or [one])
        ops[one], ops[other] = (
            ops[one]._replace(value=ops[other].value), ops[other]._replace(value=ops[one].value))
    return ops


def _no_failures(rng: Random, ops: list[Op]) -> list[Op]:
    """What failed is said to have happened."""
    return [op._replace(type="ok") if op.type == "fail" and rng.random() < 0.7 else op
            for op in ops]


def _shorter_calls(rng: Random, ops: list[Op]) -> list[Op]:
    """Some calls are invoked later, or return sooner, than they did."""
    for _each in range(rng.randrange(1, len(ops))):
        at = rng.randrange(len(ops))
        process, step = ops[at].process, 1 if ops[at].type == "invoke" else -1
        for _step in range(rng.randrange(1, 8)):
            if not 0 <= at + step < len(ops) or ops[at + step].process == process:
                break
            ops[at], ops[at + step] = ops[at + step], ops[at]
            at += step
    return ops


def _both(rng: Random, ops: list[Op]) -> list[Op]:
    return _shorter_calls(rng, _other_answers(rng, ops))


SPOILERS = (_as_it_was, _other_answers, _no_failures, _shorter_calls, _both)


# Ways to look at them

def bare(model: Model) -> Model:
    """The same model, which says nothing of its operations but what they do."""
    return Model(name=model.name, init=model.init, step=model.step, fs=model.fs,
                 partition=model.partition)


def loosened(calls: list[Call], last: int) -> list[Call]:
    """What was seen up to an op; of what ends later nothing is known."""
    return [call if call.end is not None and call.end <= last
            else call._replace(outcome="info", completion=None, ret=UNKNOWN)
            for call in calls if call.start <= last and call.outcome != "fail"]


def monitored(calls: list[Call], model: Model) -> list[tuple[str, int | None]]:
    """What each monitor that is for such calls says: its name, and the op that it blames."""
    judged = judge(calls, model)
    if judged is not None:
        return [(judged.method, judged.op)]
    table = Table(model)
    problem = build(calls, table)
    judged = judge_numbered(problem, table)
    if judged is None:
        return []
    assert writes.plainly(problem, table) == writes.judge(problem, table), calls
    return [(judged.method, judged.op)]
