"""Many runs at once: in this process, in worker processes, or on a Dask cluster.

All three are an `Executor` of `concurrent.futures`, so that whoever needs runs knows only that.
Results come in the order of the questions, whoever was faster, so that what is found does not
depend on how many workers there were.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, Callable, Iterable, Iterator, TypeVar

from histories import UsageError

Q = TypeVar("Q")
A = TypeVar("A")

JOBS_MAX = 1024
STOPPED = (KeyboardInterrupt, BrokenExecutor)      # what ends long work before its time
AHEAD = 3                   # questions on their way for each worker, so that none waits


class Here(Executor):
    """The work is done by the caller, at once."""

    def submit(self, fn: Callable[..., A], /, *args: Any, **kwargs: Any) -> Future[A]:
        """The finished future.  Ctrl-C waits for it: a callback from C may swallow an exception."""
        future: Future[A] = Future()
        with _put_off():
            try:
                future.set_result(fn(*args, **kwargs))
            except Exception as error:      # it is the future's, as with any executor
                future.set_exception(error)
        return future


@contextmanager
def _put_off() -> Iterator[None]:
    """An interrupt that comes meanwhile is raised afterwards."""
    if threading.current_thread() is not threading.main_thread():
        yield               # no other thread is ever interrupted
        return
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if heard:
        signal.raise_signal(signal.SIGINT)


@contextmanager
def workers(jobs: int = 0, dask: str | None = None) -> Iterator[Executor]:
    """`jobs` processes (0: one a core; 1: this one), or the Dask cluster at that address.

    Work that has not begun is dropped on the way out.  UsageError for another number of jobs, or
    when no scheduler answers.
    """
    if not 0 <= jobs <= JOBS_MAX:
        raise UsageError(f"jobs is {jobs}, expected a number from 0 to {JOBS_MAX}")
    if dask is not None:
        with _cluster(dask) as executor:
            yield executor
        return
    jobs = jobs or os.cpu_count() or 1
    executor = Here() if jobs == 1 else _processes(jobs)
    try:
        yield executor
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _processes(jobs: int) -> Executor:
    """Processes that Ctrl-C does not reach: it is for the one that gives the work out.

    They inherit that from the one that starts them, so that it holds from their first moment on.
    """
    executor = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        for _ in range(jobs):
            executor.submit(int)        # each starts a process while none is idle
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return executor


@contextmanager
def _cluster(address: str) -> Iterator[Executor]:
    try:
        import distributed
    except ImportError:
        raise UsageError("a Dask cluster takes the extra: pip install 'double-eleven[cluster]'") \
            from None
    connect: Any = distributed.Client
    try:
        client = connect(address, timeout="10s", set_as_default=False)
    except (OSError, ValueError) as problem:
        raise UsageError(f"{address}: no Dask scheduler answers there: {problem}") from None
    with client:
        executor = client.get_executor(pure=False)
        try:
            yield executor
        finally:
            executor.shutdown(wait=False)


def width(executor: Executor) -> int:
    """How many questions are worth having on their way at once."""
    if isinstance(executor, Here):
        return 1
    if isinstance(executor, ProcessPoolExecutor):
        return AHEAD * int(getattr(executor, "_max_workers"))
    cores = getattr(executor, "_client").ncores()
    return AHEAD * max(1, sum(int(each) for each in cores.values()))


def answers(executor: Executor, function: Callable[[Q], A],
            questions: Iterable[Q]) -> Iterator[tuple[Q, A]]:
    """Each question with its answer, in order; only a few are asked ahead of the one awaited."""
    ahead = width(executor)
    waiting: deque[tuple[Q, Future[A]]] = deque()
    try:
        for question in questions:
            waiting.append((question, executor.submit(function, question)))
            if len(waiting) >= ahead:
                first, future = waiting.popleft()
                yield first, future.result()
        while waiting:
            first, future = waiting.popleft()
            yield first, future.result()
    finally:
        for _, future in waiting:
            future.cancel()


def stopped(by: BaseException) -> str:
    """What ended the work, in words."""
    return "interrupted" if isinstance(by, KeyboardInterrupt) else f"a worker process died ({by})"
