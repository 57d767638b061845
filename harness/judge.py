"""One history file, judged in a process of its own, so that it can take no other with it.

A file is unknown, and says why, when its search ends by its budget, when its process is out of
memory, takes too long, or dies.
"""

from __future__ import annotations

import gc
import multiprocessing
import shlex
import time
import traceback
from concurrent.futures import Future, TimeoutError
from typing import Any, Iterator, NamedTuple

from pebble import CONSTS, ProcessExpired, ProcessPool

from checker import Budget, Model, Verdict, linearizable, models
from checker.check import Recorded, merge
from checker.explain import explain
from checker.levels import LEVELS, weaker
from checker.recognise import recognise
from checker.vacuity import vacuity
from checker.verdict import word
from histories import NEMESIS, History, Trace, UsageError
from histories.read import Limits, read_history

REMEMBERED_PER_MB = 500             # configurations, each with a state never met before
STEPS_MAX = 10**12                  # time and memory end a search here
POLL_S = 0.02                       # how soon a pool notices that all is done
GRACE_S = 5                         # for a search to end by itself and say where it was


class Task(NamedTuple):
    """One file to judge, and how; what a worker process is given.  No model: it is recognised."""

    path: str
    model: str | None
    format: str | None
    timeout_s: int
    memory_mb: int
    limits: Limits
    consistency: str


class Judged(NamedTuple):
    """What became of one file: its verdict and the explanation, or why it has none.

    ``ended`` says how it came to no verdict of its own: "refused", or "crashed" by a fault of ours.
    """

    path: str
    verdict: Verdict
    explanation: list[str]
    model: str = ""
    ended: str = ""

    @property
    def outcome(self) -> str:
        """In one word."""
        return self.ended or word(self.verdict.valid)


def judge_all(tasks: list[Task], jobs: int) -> Iterator[Judged]:
    """Judge files, so many at once; what became of each, in their order."""
    methods = multiprocessing.get_all_start_methods()
    context: Any = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    if "forkserver" in methods:
        context.set_forkserver_preload([__name__])
    CONSTS.sleep_unit = POLL_S
    with ProcessPool(max(1, min(jobs, len(tasks))), context=context) as pool:
        futures: list[Future[Judged]] = [
            pool.schedule(judge, args=[task], timeout=task.timeout_s + GRACE_S) for task in tasks]
        try:
            for task, future in zip(tasks, futures):
                yield _outcome(task, future)
        except BaseException:
            pool.stop()         # type: ignore[no-untyped-call]
            raise


def _outcome(task: Task, future: Future[Judged]) -> Judged:
    """What became of a file, whatever became of its process."""
    try:
        return future.result()
    except UsageError as problem:
        why = str(problem)
        return Judged(task.path, Verdict(valid=None, why=why), [why], "", "refused")
    except TimeoutError:
        cause = f"it took more than {task.timeout_s} s"
    except MemoryError:
        cause = f"it took more than {task.memory_mb} MB"
    except ProcessExpired as problem:
        cause = f"its process died ({problem.exitcode})"
    except Exception as problem:        # our own fault; the other files must be heard
        why = f"the check itself failed: {type(problem).__name__}: {problem}"
        return Judged(task.path, Verdict(valid=None, why=why),
                      "".join(traceback.format_exception(problem)).splitlines(),
                      task.model or "", "crashed")
    why = f"gave up on the file: {cause}"
    verdict = merge({task.consistency: Verdict(valid=None, why=why)})
    return Judged(task.path, verdict, [f"UNKNOWN  {task.path}: {why}"], task.model or "")


def judge(task: Task) -> Judged:
    """Judge one file; UsageError, with its line, for what is wrong with it."""
    deadline_s = time.monotonic() + task.timeout_s
    alone = multiprocessing.parent_process() is not None
    if alone:
        _limit_memory(task.memory_mb)
        gc.disable()
    history = read_history(task.path, task.format, limits=task.limits)
    if alone:
        gc.freeze()         # millions of ops, among which there are no cycles to look for
        gc.enable()
    budget = Budget(steps_max=STEPS_MAX, memory_max=task.memory_mb * REMEMBERED_PER_MB,
                    expired=lambda: time.monotonic() > deadline_s)
    model, why = _model(task, history)
    recorded = record(task.path, model.name, history)
    try:
        level = LEVELS[task.consistency](history, model, budget=budget)
        verdict = _weighed(recorded, task.consistency, level)
        lines = weaker(history, model, budget) if task.consistency == "linearizable" \
            and verdict.valid is False else []
    except UsageError as problem:
        named = str(problem).startswith(task.path)
        raise UsageError(str(problem) if named else f"{task.path}: {problem}") from None
    told = explain(recorded, verdict)
    taken = [f"{why[:1].upper()}{why[1:]}."] if why else []
    return Judged(task.path, verdict, [*told, *taken, *lines, *_more(task, model, verdict)],
                  model.name)


def _weighed(recorded: Recorded, name: str, found: Verdict) -> Verdict:
    """What a check found; where nothing succeeded, that nothing is wrong proves nothing."""
    did = any(op.type == "ok" and op.process != NEMESIS for op in recorded.history)
    return merge({name: found} if did else {name: found, "vacuity": vacuity(recorded)})


def _more(task: Task, model: Model, verdict: Verdict) -> list[str]:
    """How to see more of what is wrong."""
    if verdict.valid is not False or task.consistency != "linearizable":
        return []
    options = [task.path, "--model", model.name]
    options += [] if task.format is None else ["--format", task.format]
    return ["", f"See more:  python -m checker inspect {shlex.join(options)} --lanes"]


def _model(task: Task, history: History) -> tuple[Model, str]:
    """What the calls should mean, and, if it was recognised, by what."""
    if task.model is not None:
        return models.by_name(task.model), ""
    try:
        return recognise(history)
    except UsageError as problem:
        raise UsageError(f"{problem}; name one with --model") from None


def linearizability(history: History, model: Model | str | None) -> tuple[Verdict, list[str]]:
    """Whether a history is linearizable, and the explanation; without a model it is recognised."""
    if model is None:
        model, _ = recognise(history)
    elif isinstance(model, str):
        model = models.by_name(model)
    recorded = record(history.source or "history", model.name, history)
    verdict = _weighed(recorded, "linearizable", linearizable(history, model))
    return verdict, explain(recorded, verdict)


def record(path: str, model: str, history: History) -> Recorded:
    """What is judged: a history alone."""
    return Recorded({"name": f"{path}, model {model}"}, history, Trace())


def _limit_memory(memory_mb: int) -> None:
    """From here on, what would take this process beyond its limit raises MemoryError."""
    try:
        import resource
    except ImportError:     # Windows: only the search is bounded
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    wanted = memory_mb << 20
    limit = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    resource.setrlimit(resource.RLIMIT_AS, (limit, most))
