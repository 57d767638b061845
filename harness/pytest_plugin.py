"""The pytest plugin: runs of the pair, and histories of anything else, judged as tests.

    @pytest.mark.double_eleven(workload="counter", nemesis="crash", seeds=5)
    def test_survives_crashes(double_eleven):
        assert len(double_eleven().record.history) > 100

The marker's arguments are the fields of a Test, and `seeds`: a number of seeds, counted from
`seed`, or the seeds themselves, each a test of its own.  A marked function that does not ask for
the fixture is run and judged before its body.  What is not valid fails with the explanation and
nothing else; unknown is not valid.  Nothing of the machinery is imported before it is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterable, Mapping, NoReturn, Protocol

import pytest

if TYPE_CHECKING:
    from checker import Model
    from harness.run import Outcome
    from histories import History, Op

MARKER = FIXTURE = "double_eleven"
SEED = "double_eleven_seed"
STORE = "double_eleven_store"
SECTION = "Double Eleven"
SEEDS_MAX = 100_000


class Runner(Protocol):
    """What the fixture `double_eleven` is: it runs a test with the marker's fields and these."""

    def __call__(self, *, valid: bool = True, **fields: Any) -> Outcome:
        """The outcome, when the verdict is `valid`; else the test fails with the explanation."""


class Judge(Protocol):
    """What the fixture `assert_linearizable` is."""

    def __call__(self, history: History | Iterable[Op], model: Model | str | None = None) -> None:
        """Fail with the explanation unless an order of the calls explains the history."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where runs are stored."""
    parser.addini(STORE, "folder of the stored runs, below the root folder", default="store")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", f"{MARKER}(workload, nemesis, seeds, ...): run the "
                            "replicated pair with these fields of a test, and judge it")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each seed of a marked function; pytest's UsageError if the marker is wrong."""
    marker = metafunc.definition.get_closest_marker(MARKER)
    if marker is None:
        return
    if marker.args:
        raise pytest.UsageError(f"{metafunc.definition.nodeid}: {MARKER} takes names, such as "
                                f"workload={marker.args[0]!r}")
    metafunc.fixturenames.append(SEED)
    numbers = seeds(marker.kwargs, metafunc.definition.nodeid)
    metafunc.parametrize(SEED, numbers, ids=[f"seed {number}" for number in numbers],
                         indirect=True)


def seeds(fields: Mapping[str, Any], where: str) -> list[int]:
    """The seeds that a marker asks for; one if it does not say.  pytest's UsageError for others."""
    wanted, first = fields.get("seeds", 1), fields.get("seed", 1)
    numbers = list(range(first, first + wanted)) if type(wanted) is type(first) is int \
        and 1 <= wanted <= SEEDS_MAX else wanted
    if type(numbers) not in (list, tuple, range) or not numbers \
            or any(type(number) is not int for number in numbers):
        raise pytest.UsageError(f"{where}: seeds is {wanted!r}, expected how many, from 1 to "
                                f"{SEEDS_MAX}, or a list of them")
    return list(numbers)


@pytest.fixture(name=SEED)
def seed_of(request: pytest.FixtureRequest) -> Any:
    """The seed of this test."""
    return request.param


@pytest.fixture
def double_eleven(request: pytest.FixtureRequest) -> Runner:
    """Runs the replicated pair and judges it, with the fields of the marker and its own."""
    def run(*, valid: bool = True, **fields: Any) -> Outcome:
        return _judged(request.node, {**_marked(request.node), **fields}, valid)

    return run


@pytest.fixture
def assert_linearizable() -> Judge:
    """Judges a history; a model, its name, or none where the calls tell it."""
    def judge(history: History | Iterable[Op], model: Model | str | None = None) -> None:
        from harness.judge import linearizability
        from histories import History, UsageError

        try:
            calls = history if isinstance(history, History) else History(list(history))
            verdict, explanation = linearizability(calls, model)
        except UsageError as problem:
            _refuse(f"the history cannot be judged: {problem}")
        if verdict.valid is not True:
            pytest.fail("\n".join(explanation), pytrace=False)

    return judge


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> None:
    """Run and judge what a marked function does not ask for itself."""
    if pyfuncitem.get_closest_marker(MARKER) and FIXTURE not in pyfuncitem.fixturenames:
        _judged(pyfuncitem, _marked(pyfuncitem), True)


def _marked(item: Any) -> dict[str, Any]:
    """The fields that the marker gives, with the seed of this item; none without a marker."""
    marker = item.get_closest_marker(MARKER)
    if marker is None:
        return {}
    fields = {name: value for name, value in marker.kwargs.items() if name != "seeds"}
    return {**fields, "seed": item.callspec.params[SEED]}


def _refuse(why: str) -> NoReturn:
    """Fail with one line, without the error that it says in other words."""
    raise pytest.fail.Exception(why, pytrace=False) from None


def _judged(item: pytest.Item, fields: dict[str, Any], valid: bool) -> Outcome:
    """Run a test, name what was written, and fail unless the verdict is the expected one."""
    from harness.page import write_run_page
    from harness.run import run
    from harness.test import from_fields
    from histories import UsageError

    root = item.config.rootpath / str(item.config.getini(STORE))
    try:
        test = from_fields(fields, root)
        outcome = run(test, root)
    except UsageError as problem:
        _refuse(f"{MARKER}: {problem}")
    page = write_run_page(outcome.path, outcome.record, outcome.verdict, outcome.explanation)
    item.add_report_section("call", SECTION, f"run: {outcome.path}\n{page}\n{test.command()}\n")
    item.user_properties.append(("run", str(outcome.path)))
    if outcome.verdict.valid is not valid:
        expected = [] if valid else ["Expected a violation, and this run has none:", ""]
        pytest.fail("\n".join([*expected, *outcome.explanation]), pytrace=False)
    return outcome
