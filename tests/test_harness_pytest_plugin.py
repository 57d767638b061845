"""The pytest plugin: marker, fixtures, what a failure shows, and what loading it costs."""

from __future__ import annotations

import configparser
import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest_plugins = "pytester"

ROOT = Path(__file__).resolve().parent.parent
SHORT = 'workload="counter", nemesis="crash,log-loss", time_limit_s=2, rate_hz=20'
BROKEN = f'{SHORT}, bugs="no-output-rule"'


Ran = Callable[..., pytest.RunResult]


@pytest.fixture
def ran(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Ran:
    """Runs a file of tests with nothing but this plugin."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(source: str, *arguments: str) -> pytest.RunResult:
        pytester.makeini("[pytest]")
        pytester.makepyfile(source)
        return pytester.runpytest_inprocess("-p", "harness.pytest_plugin", "--strict-markers",
                                            *arguments)

    return run


def test_each_seed_is_a_test_of_its_own(pytester: pytest.Pytester, ran: Ran) -> None:
    """The fixture runs the marker's test with its seed; the run is stored and named."""
    result = ran(f"""
        import pytest

        @pytest.mark.double_eleven({SHORT}, seeds=[1, 3])
        def test_it(double_eleven):
            outcome = double_eleven()
            assert outcome.verdict.valid and outcome.record.test["seed"] in (1, 3)
            assert outcome.path.parent.parent.name == "store"
        """, "-v", "-rP")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines([
        "*test_it?seed 1? PASSED*", "*test_it?seed 3? PASSED*",
        "*- Captured Double Eleven call -*", "run: *store/counter-crash,log-loss/1",
        "page: *report.html"])


def test_a_failure_is_the_explanation_and_nothing_else(pytester: pytest.Pytester, ran: Ran) -> None:
    """The same text as in report.txt, no traceback; the body of the function is not reached."""
    result = ran(f"""
        import pytest

        @pytest.mark.double_eleven({BROKEN})
        def test_without_fixture():
            print("never reached")
        """, "--junitxml=junit.xml")
    result.assert_outcomes(failed=1)
    report, = pytester.path.glob("store/*/1/report.txt")
    text, said = report.read_text(encoding="utf-8"), result.stdout.str()
    assert text in said and text.startswith("INVALID  counter, nemesis crash,log-loss, bug no-")
    assert "Traceback" not in said and "never reached" not in said and "plugin.py" not in said
    result.stdout.fnmatch_lines(["FAILED *test_without_fixture?seed 1?*"])
    assert "store/counter" in (pytester.path / "junit.xml").read_text(encoding="utf-8")


def test_a_violation_can_be_what_is_expected(ran: Ran) -> None:
    """A test of a bug passes when it is convicted, and fails when it is not."""
    result = ran(f"""
        import pytest

        @pytest.mark.double_eleven({SHORT})
        class TestBoth:
            def test_convicted(self, double_eleven):
                double_eleven(valid=False, bugs=["no-output-rule"])

            def test_valid(self, double_eleven):
                double_eleven(valid=False)
        """)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["Expected a violation, and this run has none:", "VALID *"])


def test_unknown_never_passes(ran: Ran) -> None:
    """A run that did too little fails, and says why."""
    result = ran("""
        def test_it(double_eleven):
            double_eleven(workload="counter", time_limit_s=1, nemesis="crash", rate_hz=1,
                          clients=1)
        """)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["UNKNOWN  counter*"])


@pytest.mark.parametrize("fields, problem", [
    ('nemsis="crash"', "*double_eleven: unknown key 'nemsis'; there is workload, *"),
    ('workload="tea"', "*unknown workload 'tea'; there is *"),
    ('nemesis=5', "*nemesis is 5, expected a name, or several*"),
    ('disk=["shared"]', "*disk is ?'shared'?, expected a text*"),
    ('seeds=0', "*::test_it: seeds is 0, expected how many, from 1 to *"),
    ('seeds=["1"]', "*::test_it: seeds is ?'1'?, expected how many, from 1 to *"),
    ('"counter"', "*double_eleven takes names, such as workload='counter'*")])
def test_a_wrong_marker_is_one_line(fields: str, problem: str, ran: Ran) -> None:
    """It says which field, and what was expected."""
    result = ran(f"""
        import pytest

        @pytest.mark.double_eleven({fields})
        def test_it():
            pass
        """)
    assert result.ret != 0 and result.parseoutcomes().get("passed", 0) == 0
    result.stdout.fnmatch_lines([problem])
    said = result.stdout.str() + result.stderr.str()
    assert "Traceback" not in said and "another exception" not in said


def test_a_history_of_ones_own(ran: Ran) -> None:
    """Judged with a model, its name, or none; the failure is the explanation."""
    result = ran("""
        from checker import models
        from histories import History, Op

        def inc(value):
            return [Op(0, "invoke", "inc"), Op(0, "ok", "inc", value)]

        def test_good(assert_linearizable):
            assert_linearizable(inc(1))
            assert_linearizable(History(inc(1)), "counter")
            assert_linearizable(inc(1), models.counter)

        def test_bad(assert_linearizable):
            assert_linearizable(inc(11))

        def test_odd(assert_linearizable):
            assert_linearizable(inc(1)[1:])
        """)
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["INVALID  history, model counter (linearizable)",
                                 "the history cannot be judged: *"])
    said = result.stdout.str()
    assert "Traceback" not in said and "another exception" not in said


def test_loading_the_plugin_imports_nothing_of_the_machinery(tmp_path: Path) -> None:
    """Nor does collecting what does not use it."""
    (tmp_path / "test_plain.py").write_text(
        "def test_it():\n    import sys\n"
        "    ours = ('vmft', 'unicorn', 'checker', 'workloads', 'nemesis', 'histories')\n"
        "    assert 'harness.pytest_plugin' in sys.modules\n"
        "    assert [name for name in sys.modules if name.split('.')[0] in ours] == []\n",
        encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "harness.pytest_plugin", str(tmp_path)],
        capture_output=True, text=True, timeout=120, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
    assert done.returncode == 0, done.stdout + done.stderr


def test_pytest_finds_the_plugin_by_itself() -> None:
    """The entry point names a module that there is."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    name, module = setup["options.entry_points"]["pytest11"].strip().split(" = ")
    assert name == "double_eleven" and importlib.util.find_spec(module) is not None
