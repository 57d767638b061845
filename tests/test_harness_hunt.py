"""Hunts, sweeps and what keeps their findings: many runs, taken together."""

from __future__ import annotations

import inspect
import json
from concurrent.futures import BrokenExecutor, Executor
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, Iterator

import pytest

from checker.check import Recorded
from harness import hunt as hunting
from harness import coverage, matrix, sweep, workers
from harness.case import together
from harness.cli import main
from harness.commands.hunt import seconds
from harness.corpus import FILE, Corpus
from harness.coverage import MARKS, reached, unreached
from harness.failure import Finding, find
from harness.hunt import hunt
from harness.plan import PlannedFault
from harness.tally import Tally
from harness.test import Test as Run
from harness.workers import Here
from histories import Event, History, Trace, UsageError
from vmft.bugs import BUGS

SHORT = Run(time_limit_s=1, rate_hz=10, clients=2)
FINE = Finding(True, "", (), 1, None, ("failover",))
BAD = Finding(False, "", ("output-rule",), 1, 5, ())
VACUOUS = Finding(None, "", (), 1, None, (), True)


def hunted(root: Path, findings: dict[int, Finding], runs: int,
           monkeypatch: pytest.MonkeyPatch) -> tuple[Tally, list[int]]:
    """A hunt of so many runs in which these seeds come to this, and the others are fine."""
    monkeypatch.setattr(hunting, "find", lambda test: findings.get(test.seed, FINE))
    tally, left = Tally(), iter(range(runs))
    tests = hunt(SHORT, Here(), Corpus(root), tally, lambda: next(left, None) is None)
    return tally, [test.seed for test in tests]


def test_what_failed_before_is_tried_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And forgotten when it fails no more."""
    _, seeds = hunted(tmp_path, {3: BAD, 5: BAD}, 6, monkeypatch)
    assert seeds == [1, 2, 3, 4, 5, 6]
    tally, seeds = hunted(tmp_path, {5: BAD}, 4, monkeypatch)
    assert seeds == [3, 5, 1, 2] and tally.failures == 1
    _, seeds = hunted(tmp_path, {}, 2, monkeypatch)
    assert seeds == [5, 1]
    assert Corpus(tmp_path).like(SHORT) == []


def test_a_corpus_tells_tests_apart_by_more_than_their_seed(tmp_path: Path) -> None:
    """Another rate is another test."""
    corpus = Corpus(tmp_path)
    for seed in (9, 2):
        corpus.add(replace(SHORT, seed=seed), ("a",))
    corpus.add(replace(SHORT, rate_hz=11), ("a",))
    assert [test.seed for test in corpus.like(SHORT)] == [2, 9]


def test_a_corpus_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    """A file that is no database, a folder that is none."""
    (tmp_path / FILE).write_text("no database, however long it may be" * 100, encoding="utf-8")
    with pytest.raises(UsageError, match=r"failures.sqlite: file is not a database"):
        Corpus(tmp_path)
    with pytest.raises(UsageError):
        Corpus(tmp_path / FILE)


def test_a_tally_is_vacuous_only_when_all_is() -> None:
    """A violation before a fault of ours before unknown before valid."""
    tally = Tally()
    for finding, outcome in (
            (VACUOUS, "unknown"), (FINE, "valid"),
            (Finding(None, "the budget ended", (), 1, None, ()), "unknown"),
            (Finding(None, "it broke", ("error X in y",), 0, None, (), broke_off=True), "crashed"),
            (BAD, "invalid")):
        tally.add(SHORT, finding)
        assert together(tally.cases([], "g", 1.0)) == outcome
    assert (tally.failures, tally.proved, len(tally.broken)) == (1, 1, 1)
    assert tally.marks == {"failover": 1} and len(unreached(tally.marks)) == len(MARKS) - 1


def test_a_run_that_ends_in_an_error_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake in the question is not."""
    def broken(_: Any) -> Any:
        raise ValueError("too bad")

    monkeypatch.setattr("harness.failure.rehearse", broken)
    finding = find(SHORT)
    assert finding.signature == ("error ValueError in broken",)
    assert "too bad" in finding.why and finding.convicted_by == ("error",)
    assert finding.broke_off and finding.valid is None


def test_a_finding_counts_all_calls_and_those_up_to_its_conviction() -> None:
    """A hunt adds up the first, the kill matrix tells the second."""
    finding = find(replace(SHORT, bugs=("no-output-rule",), nemesis=("crash",)))
    assert finding.valid is False and 0 < finding.operations < finding.calls
    fine = find(SHORT)
    assert fine.operations == fine.calls > 0


def test_kinds_of_failure_are_named_by_who_convicts() -> None:
    """Not by half a sentence of theirs."""
    tally = Tally()
    tally.add(SHORT, BAD._replace(signature=("duplicates with", "single-primary split brain")))
    assert tally.said([])[0].startswith("1 run failed by duplicates, single-primary; the first:")
    failed, = tally.cases([], "g", 1.0)
    assert failed.why == "1 of 1 run failed by duplicates, single-primary"


@pytest.mark.parametrize("text, budget_s", [("90", 90), ("90s", 90), ("10m", 600), ("2h", 7200)])
def test_a_budget_has_a_unit(text: str, budget_s: int) -> None:
    """Seconds when there is none."""
    assert seconds(text) == budget_s


@pytest.mark.parametrize("text", ["", "m", "-1s", "1d", "1.5m", "10000000"])
def test_another_budget_is_refused(text: str) -> None:
    """In one line."""
    with pytest.raises(UsageError, match="expected a number with s, m or h"):
        seconds(text)


def test_hunt_tells_seeds_failures_and_what_was_not_reached(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And stores the first failure of each kind."""
    words = ["hunt", "--runs", "2", "--jobs", "1", "--time-limit", "1", "--nemesis", "crash",
             "--store", str(tmp_path), "--budget", "1h"]
    assert main([*words, "--bug", "no-output-rule"]) == 1
    said = capsys.readouterr().out
    assert "situations that no run reached:" in said
    assert "INVALID  2 seeds, 2 failed, in " in said and "seeds per second of wall time" in said
    assert f"stored: {tmp_path}/counter-crash-no-output-rule/1" in said


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), BrokenExecutor("gone")])
def test_an_interrupted_hunt_tells_what_it_found(
        stop: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    """And ends with the code of that."""
    seeds = count()

    def found(test: Run) -> Finding:
        if next(seeds) == 3:
            raise stop
        return FINE

    monkeypatch.setattr(hunting, "find", found)
    assert main(["hunt", "--jobs", "1", "--store", str(tmp_path), "--budget", "1h"]) == 0
    said = capsys.readouterr().out
    assert "this is what was found by then" in said and "VALID  3 seeds, 0 failed" in said


# Sweeps

def test_a_sweep_strikes_after_every_boundary_of_the_run_without_faults() -> None:
    """Once for each fault, and in between nothing that counts has happened."""
    moments_ns = sweep.moments(SHORT)
    assert len(moments_ns) > 100 and moments_ns == sorted(set(moments_ns))
    tests = list(sweep.tests(SHORT, tuple(sweep.FAULTS), moments_ns))
    assert len(tests) == len(moments_ns) * len(sweep.FAULTS)
    for test in tests[::97]:
        assert test.plan is not None and test.plan.faults is not None
        assert test.plan.faults[0].time_ns in moments_ns and test.plan.ops is None


def test_a_sweep_ends_with_a_bounded_claim(tmp_path: Path,
                                           capsys: pytest.CaptureFixture[str]) -> None:
    """And a bug makes it fail."""
    words = ["sweep", "--jobs", "1", "--fault", "crash-primary", "--rate", "2", "--clients", "1",
             "--store", str(tmp_path)]

    def some(test: Run) -> list[int]:
        return sweep_moments(test)[100:103]

    sweep_moments = sweep.moments
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harness.commands.sweep.moments", some)
        assert main(words) == 0
        assert "3 boundaries x 1 fault (crash-primary), all " in capsys.readouterr().out
        assert main([*words, "--bug", "no-output-rule"]) == 1
        assert "of 3 runs failed" in capsys.readouterr().out


def test_a_sweep_plans_its_own_faults(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line for who wants others, or one that there is not."""
    assert main(["sweep", "--nemesis", "crash"]) == 254
    assert main(["sweep", "--fault", "flood"]) == 254
    assert "unknown fault 'flood'; there is " in capsys.readouterr().err


# The kill matrix

def test_the_matrix_names_who_convicted_and_who_was_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug is killed by a checker of its own, at the first seed where one convicts."""
    by_seed = {2: ("divergence",), 3: ("output-rule early",), 5: ("linearizable", "stats")}
    monkeypatch.setattr(matrix, "find", lambda test: Finding(
        test.seed not in by_seed, "", by_seed.get(test.seed, ()), 10 * test.seed, None, ()))
    question, = matrix.hunted(["no-output-rule"], SHORT, 8)
    row = matrix.row(question)
    assert row.convicted == {"divergence": 2, "output-rule": 3, "linearizable": 5, "stats": 5}
    assert (row.killed, row.operations, row.runs, row.silent) == (3, 30, 5, [])
    assert row.witness == "black box"
    quick = matrix.row(question._replace(thorough=False))
    assert (quick.runs, quick.silent, quick.witness) == (3, ["linearizable"], "white box only")
    alive = matrix.row(question._replace(seeds=2))
    assert alive.killed is None and "SURVIVED 2 seeds" in matrix.table([alive])[0]
    assert [test.seed for test in matrix.unbroken([row, alive])] == [1, 2, 3, 4, 5]
    assert not any(test.bugs for test in matrix.unbroken([row, alive]))


def test_the_matrix_is_written_for_people_and_for_programs(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same in the terminal, as HTML and as JSON."""
    words = ["bugs", "--bug", "no-output-rule", "--jobs", "1", "--seeds", "3", "--time-limit", "3",
             "--quick", "--store", str(tmp_path)]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "1 of 1 bug killed in 1 run; the unbroken pair: 0 of 1 run failed" in said
    data = json.loads((tmp_path / "bugs.json").read_text(encoding="utf-8"))
    assert data["bugs"][0]["first_seed"] == 1 and "output-rule" in data["bugs"][0]["convicted"]
    page = (tmp_path / "bugs.html").read_text(encoding="utf-8")
    assert "no-output-rule" in page and "<script" not in page and "http" not in page


@pytest.mark.parametrize("words, problem", [
    (["--bug", "x"], "unknown bug 'x'"),
    (["--seeds", "0"], "seeds is 0, expected a whole number from 1 to 100000"),
    (["--jobs", "-1"], "jobs is -1, expected a number from 0")])
def test_a_wrong_matrix_is_refused(words: list[str], problem: str,
                                   capsys: pytest.CaptureFixture[str]) -> None:
    """In one line."""
    assert main(["bugs", *words]) == 254
    assert problem in capsys.readouterr().err


# Workers

def doubled(number: int) -> int:
    """Something to ask a worker."""
    return 2 * number


def asked(executor: Executor) -> list[tuple[int, int]]:
    """Ten questions with their answers."""
    return list(workers.answers(executor, doubled, range(10)))


def test_answers_come_in_the_order_of_the_questions() -> None:
    """And questions are not drawn further ahead than needed."""
    drawn: list[int] = []

    def questions() -> Iterator[int]:
        for number in range(10):
            drawn.append(number)
            yield number

    answers = workers.answers(Here(), doubled, questions())
    assert next(answers) == (0, 0) and drawn == [0]
    assert list(answers) == [(number, 2 * number) for number in range(1, 10)]


@pytest.mark.slow
def test_processes_answer_as_the_caller_would() -> None:
    """In the same order."""
    with workers.workers(2) as executor:
        assert asked(executor) == asked(Here())
        assert list(workers.answers(executor, find, [SHORT])) == [(SHORT, find(SHORT))]


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_dask_cluster_answers_as_the_caller_would(tmp_path: Path) -> None:
    """A real one, of processes, through the same interface, and through the command."""
    distributed: Any = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1,
                                  dashboard_address=None) as cluster:
        with workers.workers(dask=cluster.scheduler_address) as executor:
            assert list(workers.answers(executor, find, [SHORT])) == [(SHORT, find(SHORT))]
        assert main(["hunt", "--dask", cluster.scheduler_address, "--runs", "4", "--time-limit",
                     "4", "--store", str(tmp_path), "--nemesis", "crash"]) == 0


def test_a_cluster_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the extra was not installed."""
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(UsageError, match=r"pip install 'double-eleven\[cluster\]'"):
        with workers.workers(dask="tcp://127.0.0.1:1"):
            pass


# Coverage

def marks(*events: tuple[str, str, dict[str, Any]]) -> tuple[str, ...]:
    """The marks of a trace of (node, kind, data)."""
    trace = Trace(Event(time_ns, *event) for time_ns, event in enumerate(events))
    return reached(Recorded({}, History([]), trace))


PAIR = [("n1", "boot", {"role": "primary"}), ("n2", "boot", {"role": "backup"})]
LOGGED = [("n1", "log", {"seq": 2, "generation": 1}),
          ("n1", "output", {"number": 1, "device": "nic"})]
GOT = [("n2", "acknowledge", {"received": 2, "generation": 1})]


@pytest.mark.parametrize("events, expected", [
    ([], {"kill-protected"}),
    (LOGGED, {"kill-protected", "kill-held-output", "kill-unacknowledged"}),
    (LOGGED + GOT, {"kill-protected", "kill-held-output", "kill-unconsumed"}),
    (LOGGED + GOT + [("n2", "replay", {"last": 2})], {"kill-protected", "kill-held-output"}),
    ([("n1", "suspect", {"peer": "n2"})], {"kill-contending"}),
    ([("n1", "suspect", {"peer": "n2"}),
      ("disk", "test-and-set", {"generation": 1, "asked": "n1", "winner": "n1"})],
     {"kill-going-live"}),
    ([("n1", "live", {"generation": 2, "held": 0}), ("n1", "clone", {"to": "n3"})],
     {"primary-went-alone", "kill-cloning"}),
])
def test_a_crash_is_worth_what_it_meets(events: list[Any], expected: set[str]) -> None:
    """The phase of the protocol, and what was on its way."""
    assert set(marks(*PAIR, *events, ("n1", "crash", {}))) == expected


def test_every_mark_can_be_reached() -> None:
    """By some handler's text: a mark that nothing sets would always be missing."""
    source = inspect.getsource(coverage)
    handlers = source[source.index("class Situation"):]
    assert [name for name in MARKS if f'"{name}"' not in handlers] == []


def test_real_runs_reach_the_common_situations() -> None:
    """A crash, a takeover, and a new backup."""
    got = find(Run(nemesis=("crash",), time_limit_s=5, seed=2)).marks
    assert {"kill-protected", "failover", "redundancy-restored", "restarted"} <= set(got)


def test_the_bugs_name_checkers_that_there_are() -> None:
    """A misspelt one would be silent for ever."""
    from harness.run import checks_of
    for name, bug in BUGS.items():
        test = Run(workload=bug.workload, nemesis=bug.nemesis, bugs=(name,))
        assert set(bug.convicted_by) <= set(checks_of(test)), name


def test_faults_of_a_sweep_fit_their_families() -> None:
    """Each can be put anywhere."""
    for name in sweep.FAULTS:
        test, = sweep.tests(SHORT, (name,), [10**9])
        assert test.plan is not None and all(
            isinstance(fault, PlannedFault) for fault in test.plan.faults or ())
