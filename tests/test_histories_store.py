"""The run store: what a run leaves behind, whatever happens to it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from histories import Event, History, Op, UsageError, store


def test_a_run_is_read_back(tmp_path: Path) -> None:
    with store.create(tmp_path, "counter-crash,log-loss", {"seed": 1}) as writer:
        writer.op(Op(0, "invoke", "inc", None, 5, 0))
        writer.event(Event(5, "n1", "start", {}))
        writer.results({"valid": True})
    run = store.latest(tmp_path)
    assert run.path == tmp_path / "counter-crash,log-loss" / "1"
    assert run.test == {"seed": 1}
    assert run.history == History([Op(0, "invoke", "inc", None, 5, 0)])
    assert run.trace.events == [Event(5, "n1", "start", {})]
    assert run.results == {"valid": True}


def test_a_run_is_readable_while_it_goes_on_and_after_a_kill(tmp_path: Path) -> None:
    writer = store.create(tmp_path, "t", {"seed": 1})
    run = store.latest(tmp_path)
    assert (run.test, run.history.ops, run.results) == ({"seed": 1}, [], None)
    writer.op(Op(0, "invoke", "inc", None, 5, 0))
    writer.event(Event(5, "n1", "start", {}))
    with (writer.path / store.HISTORY).open("a") as file:
        file.write('{"index":1,"ti')
    run = store.latest(tmp_path)
    assert len(run.history) == 1
    assert len(run.trace) == 1
    writer.close()


def test_runs_count_up_and_latest_points_to_the_newest(tmp_path: Path) -> None:
    for name in ("a", "b", "a", *["c"] * 9):
        store.create(tmp_path, name, {"name": name}).close()
    store.create(tmp_path, "c", {"name": "c10"}).close()
    names = [str(run.path.relative_to(tmp_path)) for run in store.runs(tmp_path)]
    assert names == ["a/1", "a/2", "b/1", *[f"c/{number}" for number in range(1, 11)]]
    assert store.latest(tmp_path).test == {"name": "c10"}
    assert store.resolve(tmp_path).test == {"name": "c10"}
    assert store.resolve(tmp_path, "a").path == tmp_path / "a" / "2"
    assert store.resolve(tmp_path, "a/1").path == tmp_path / "a" / "1"
    assert store.resolve(tmp_path, str(tmp_path / "b" / "1")).path == tmp_path / "b" / "1"
    assert not list(tmp_path.rglob(".*"))


def test_a_number_that_another_run_has_taken_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.create(tmp_path, "t", {}).close()
    monkeypatch.setattr(store, "_numbers", lambda folder: [])
    with store.create(tmp_path, "t", {}) as writer:
        assert writer.path.name == "2"


@pytest.mark.parametrize("name, folder", [
    ("../../etc/passwd", "etc-passwd"), ("", "-"), ("latest", "latest-"), (".hidden", "hidden"),
    ("a b/c", "a-b-c"), ("x" * 500, "x" * store.NAME_LENGTH_MAX),
])
def test_a_test_name_stays_in_the_store(name: str, folder: str, tmp_path: Path) -> None:
    with store.create(tmp_path, name, {}) as writer:
        assert writer.path == tmp_path / folder / "1"


def test_what_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no stored run$"):
        store.resolve(tmp_path)
    with pytest.raises(UsageError, match="^nothing: no stored run"):
        store.resolve(tmp_path, "nothing")
    assert store.runs(tmp_path / "absent") == []


def test_a_store_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="file.*: (Not a directory|File exists)$"):
        store.create(tmp_path / "file", "t", {})
    with pytest.raises(UsageError, match="cannot be written as JSON"):
        store.create(tmp_path, "t", {"seed": object()})


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_a_full_disk_is_said_in_one_line(tmp_path: Path) -> None:
    with store.create(tmp_path, "t", {"seed": 1}) as writer:
        writer.op(Op(0, "invoke", "inc"))
    (writer.path / store.TRACE).unlink()
    (writer.path / store.TRACE).symlink_to("/dev/full")
    with pytest.raises(UsageError, match="No space left on device$"):
        with store.RunWriter(writer.path) as writer:
            writer.op(Op(0, "invoke", "inc"))
            writer.event(Event(0, "n1", "start", {}))
    assert len(store.latest(tmp_path).history) == 1


def test_results_replace_each_other_whole(tmp_path: Path) -> None:
    with store.create(tmp_path, "t", {}) as writer:
        writer.results({"valid": True, "long": "x" * 100})
        writer.results({"valid": False})
        with pytest.raises(UsageError, match="cannot be written as JSON"):
            writer.results({"bad": object()})
        assert json.loads((writer.path / store.RESULTS).read_text()) == {"valid": False}
        assert sorted(path.name for path in writer.path.iterdir()) == [
            "history.jsonl", "results.json", "test.json", "trace.jsonl",
        ]


@pytest.mark.parametrize("content", ["{", "[1]", "[" * 100_000])
def test_a_damaged_file_of_a_run_is_said_in_one_line(content: str, tmp_path: Path) -> None:
    store.create(tmp_path, "t", {}).close()
    (tmp_path / "t" / "1" / "test.json").write_text(content)
    with pytest.raises(UsageError, match="test.json: (not JSON|expected a JSON object)"):
        store.latest(tmp_path).test


def test_a_run_killed_before_its_history_was_there_is_an_empty_one(tmp_path: Path) -> None:
    store.create(tmp_path, "t", {"seed": 1}).close()
    folder = store.latest(tmp_path).path
    (folder / store.HISTORY).unlink()
    (folder / store.TRACE).unlink()
    run = store.Run(folder)
    assert (run.history.ops, run.trace.events, run.results) == ([], [], None)
