"""`diff`: the first difference between two runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.difference import difference
from harness.cli import USAGE, main
from histories import Event, History, Op, Trace
from histories.value import quantity
from small_trace import Record, event

SHORT = ["run", "--time-limit", "1", "--clients", "2"]
EVENTS = [event(at, "n1", "crash") for at in range(4)]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs: the same twice, then another seed."""
    root = tmp_path_factory.mktemp("store")
    for seed in ("1", "1", "2"):
        main([*SHORT, "--seed", seed, "--store", str(root)])
    return root


@pytest.mark.parametrize("other, code", [("2", 0), ("3", 1)])
def test_only_different_runs_differ(
    store: Path, capsys: pytest.CaptureFixture[str], other: str, code: int
) -> None:
    """Another seed differs in the test, the history and the trace."""
    name = "counter-no-faults"
    assert main(["diff", f"{name}/1", f"{name}/{other}", "--store", str(store)]) == code
    text = capsys.readouterr().out
    assert ("  seed: 1 in A, 2 in B" in text) == ("trace: the same for " in text) == bool(code)
    assert ("the same test, the same" in text) == (not code)


def test_a_run_that_is_not_there_is_one_line(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 254."""
    assert main(["diff", "counter-no-faults", "nothing", "--store", str(store)]) == USAGE
    assert capsys.readouterr().err.startswith("error: nothing: no stored run")


def record(*events: Event, ops: tuple[Op, ...] = (), **test: object) -> Record:
    """What is compared."""
    return Record(dict(test), History(ops), Trace(events))


@given(st.lists(st.sampled_from(EVENTS), max_size=8), st.integers(0, 8), st.sampled_from(EVENTS))
def test_the_first_difference_is_found(events: list[Event], at: int, extra: Event) -> None:
    """One more event somewhere: what is in front of it is the same, unless it is like the next."""
    at = min(at, len(events))
    longer = [*events[:at], extra, *events[at:]]
    same = at
    while same < len(events) and events[same] == extra:
        same += 1
    lines = difference(record(*events), record(*longer))
    assert lines[0].startswith(
        f"trace: the same for {quantity(same, 'event')} of {len(events)} in A")
    assert difference(record(*events), record(*events)) == []


def test_both_sides_are_told_in_words() -> None:
    """Time, node and what happened; what differs by name; an end is an end."""
    one = event(3, "n1", "suspect", peer="n2", why="no heartbeat")
    other = event(3, "n1", "suspect", peer="n2", why="no log traffic")
    assert difference(record(one), record(other))[1:] == [
        "  A: 0.003000 s  n1 suspects n2: no heartbeat",
        "  B: 0.003000 s  n1 suspects n2: no log traffic", "  differs in why"]
    assert difference(record(one), record())[1:] == [
        "  A: 0.003000 s  n1 suspects n2: no heartbeat", "  B: (ends)"]
    lines = difference(record(ops=(Op(0, "invoke", "inc"),), seed=1, plan=None, command="x"),
                       record(ops=(Op(0, "invoke", "read", None, 5),), seed=1, plan="p"))
    assert lines == [
        "test: not the same", '  plan: nil in A, "p" in B',
        "history: the same for 0 ops of 1 in A and 1 in B, then",
        "  A: op 0, process 0: invoke inc", "  B: 0.000000 s  op 0, process 0: invoke read",
        "  differs in f, time"]
