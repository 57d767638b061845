"""Combinators of clients, driven as the harness drives them."""

from __future__ import annotations

from typing import Any

from test_harness_drive import MS, Fickle

from harness import drive
from harness.test import SECOND_NS
from harness.test import Test as Run
from histories import History, Op
from vmft.prng import Rng
from workloads import generators as gen
from workloads.counter import COUNTER
from workloads.workload import Client, Invocation, invoke, sync, wait

RUN = Run(clients=1, time_limit_s=2, rate_hz=100, timeout_ms=100)


def incs() -> Client:
    """Increments without end."""
    return gen.repeat(lambda: invoke("inc"))


def reads() -> Client:
    """Reads without end."""
    return gen.repeat(lambda: invoke("read"))


def driven(ops: Any, clients: int = 1, delays: Any = ((MS,),)) -> History:
    """The history of a run whose clients are `ops(process, rng)`, without the final reads."""
    done: list[Op] = []
    driver = drive.Driver(Run(clients=clients, time_limit_s=2, timeout_ms=100),
                          Fickle([list(each) for each in delays]), done.append)
    driver.workload = COUNTER.__class__(**{**vars(COUNTER), "ops": ops, "final": no_final})
    driver.run([], [])
    return History(done)


def no_final(process: int) -> Client:
    """Nothing."""
    yield from ()


def fs(history: History, process: int = 0) -> str:
    """What a process called: i for inc, r for read."""
    return "".join(op.f[0] for op in history if op.type == "invoke" and op.process == process)


def starts_ms(history: History) -> list[int]:
    """When calls began."""
    return [op.time // MS for op in history if op.type == "invoke"]


def test_limit_counts_operations() -> None:
    """And once is one; waiting does not count."""
    def ops(process: int, rng: Rng) -> Client:
        yield wait(5)
        yield from gen.once(invoke("read"))
        yield from gen.limit(2, incs())

    assert fs(driven(ops)) == "rii"
    assert fs(driven(lambda process, rng: gen.limit(3, ops(process, rng)))) == "rii"
    assert fs(driven(lambda process, rng: gen.limit(0, ops(process, rng)))) == ""


def test_mix_goes_on_until_all_have_ended() -> None:
    """By chance, and no client gets another's answer."""
    heard: list[str] = []

    def listening(f: str) -> Client:
        for _ in range(10):
            done = yield invoke(f)
            heard.append(f"{f} {done.f}")

    called = fs(driven(lambda process, rng: gen.mix(rng, listening("inc"), listening("read"))))
    assert called.count("i") == called.count("r") == 10
    assert "ir" in called and "ii" in called
    assert set(heard) == {"inc inc", "read read"}


def test_alternate_ends_with_the_first_to_end() -> None:
    """In turn."""
    assert fs(driven(lambda process, rng: gen.alternate(incs(), gen.limit(2, reads())))) == "iriri"


def test_a_rate_is_kept_exactly() -> None:
    """A call takes 1 ms here, the pause comes on top."""
    times = starts_ms(driven(lambda process, rng: gen.rate(100, gen.limit(4, incs()))))
    assert times == [10, 21, 32, 43]


def test_stagger_pauses_by_chance_around_the_mean() -> None:
    """Never longer than twice as much."""
    times = starts_ms(driven(lambda process, rng: gen.stagger(rng, 5 * MS, gen.limit(99, incs()))))
    gaps = [after - before - 1 for before, after in zip(times, times[1:])]
    assert max(gaps) <= 10 and min(gaps) >= 0 and 350 <= sum(gaps) <= 650


def test_a_time_limit_runs_from_the_first_question() -> None:
    """Here 100 ms after another client has begun."""
    def ops(process: int, rng: Rng) -> Client:
        yield wait(100 * MS)
        yield from gen.time_limit(50 * MS, gen.rate(100, incs()))
        yield invoke("read")

    history = driven(ops)
    *incremented, read = [op for op in history if op.type == "invoke"]
    assert read.f == "read" and [op.time // MS for op in incremented] == [110, 121, 132, 143, 154]


def test_phases_meet_in_between() -> None:
    """Nobody reads before the slowest has done all its increments."""
    def ops(process: int, rng: Rng) -> Client:
        return gen.phases(gen.rate(10 * (process + 1), gen.limit(3, incs())),
                          gen.limit(2, reads()))

    history = driven(ops, clients=3)
    last_inc = max(op.time for op in history if op.f == "inc")
    assert min(op.time for op in history if op.f == "read") >= last_inc
    assert [fs(history, process) for process in range(3)] == ["iiirr"] * 3


def test_a_process_that_ended_in_info_goes_on_in_the_present_phase() -> None:
    """The first phase's calls are never answered; each ends its process, and starts another."""
    def ops(process: int, rng: Rng) -> Client:
        return gen.phases(gen.limit(1, incs()) if process < 4 else gen.limit(0, incs()),
                          gen.limit(1, reads()))

    history = driven(ops, clients=2, delays=[[], [], [], [], [MS]])
    assert [op.f for op in history if op.type == "invoke"][-2:] == ["read", "read"]


def test_nobody_waits_for_a_client_that_has_ended() -> None:
    """The other meets itself."""
    def ops(process: int, rng: Rng) -> Client:
        yield invoke("inc")
        if process == 1:
            yield sync()
            yield invoke("read")

    assert fs(driven(ops, clients=2), 1) == "ir"


def test_reserve_shares_the_clients_out() -> None:
    """Two, one, and the rest; also under later ids."""
    def ops(process: int, rng: Rng) -> Client:
        return gen.reserve((2, gen.limit(1, incs())), (1, gen.limit(2, incs())),
                           default=gen.limit(1, reads()))

    history = driven(ops, clients=5)
    assert [fs(history, process) for process in range(5)] == ["i", "i", "ii", "r", "r"]


def test_until_ok_tries_again() -> None:
    """An answer that refuses is not one that succeeds."""
    asked = gen.until_ok(lambda: invoke("inc"))
    answers = [next(asked)]
    for kind in ("fail", "fail", "ok"):
        try:
            answers.append(asked.send(Op(0, kind, "inc")))
        except StopIteration:
            answers.append(Invocation("end"))
    assert [each.f for each in answers] == ["inc", "inc", "inc", "end"]


def test_operations_can_be_changed_and_left_out() -> None:
    """One that is left out has failed."""
    def odd(invocation: Invocation) -> Invocation | None:
        return None if invocation.f == "read" else invocation

    def ops(process: int, rng: Rng) -> Client:
        return gen.map_invocations(odd, gen.limit(6, gen.alternate(incs(), reads())))

    assert fs(driven(ops)) == "iii"


def test_a_sequence_is_done_in_order() -> None:
    """Of whatever there is."""
    assert fs(driven(lambda process, rng: gen.sequence(map(invoke, ["inc", "read", "inc"])))) \
        == "iri"


def test_a_wait_takes_its_time_and_tells_it() -> None:
    """And who asks."""
    told: list[Any] = []

    def ops(process: int, rng: Rng) -> Client:
        told.append((yield wait(SECOND_NS)))
        yield invoke("inc")._replace(after_ns=0)

    history = driven(ops, clients=2)
    assert starts_ms(history) == [1000, 1000]
    assert [(each.time, each.value) for each in told] == [(SECOND_NS, (0, 0)), (SECOND_NS, (1, 0))]
