"""The store as web pages: what they show, and who is refused."""

from __future__ import annotations

import http.client
import io
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from harness.cli import main
from harness.web.app import app

ROOT = Path(__file__).resolve().parent.parent


def stored(root: Path, name: str, **test: object) -> Path:
    """A run as the store keeps it, without running it."""
    path = root / name
    path.mkdir(parents=True)
    valid = test.pop("valid", True)
    (path / "test.json").write_text(json.dumps({"workload": "counter", "nemesis": [], **test}))
    (path / "history.jsonl").write_text(f"{name}\n")
    (path / "trace.jsonl").write_text("same\n")
    (path / "report.txt").write_text(f"<b>{name}</b>\n")
    (path / "report.html").write_text("<title>the report</title>")
    if valid != "cut off":
        (path / "results.json").write_text(json.dumps({
            "valid": valid, "why": "because", "parts": {"stats": {"valid": valid, "why": "so"}}}))
    return path


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Three runs, and a secret beside the store."""
    root = tmp_path / "store"
    stored(root, "counter-crash/1", nemesis=["crash"], bugs=["no-output-rule"], valid=False)
    stored(root, "kv-cut/1", workload="kv", nemesis=["cut", "crash"], seed=7)
    stored(root, "kv-cut/2", workload="kv", nemesis=["cut"], valid="cut off")
    (root / "latest").symlink_to("kv-cut/2")
    (tmp_path / "secret.txt").write_text("secret")
    return root


@pytest.fixture
def client(store: Path) -> Any:
    """Asks as a browser at this machine would."""
    return TestClient(app(store), base_url="http://127.0.0.1:8011", raise_server_exceptions=False)


@pytest.mark.parametrize("query, names", [
    ("", ["counter-crash/1", "kv-cut/1", "kv-cut/2"]), ("workload=kv", ["kv-cut/1", "kv-cut/2"]),
    ("nemesis=crash", ["counter-crash/1", "kv-cut/1"]), ("bug=no-output-rule", ["counter-crash/1"]),
    ("verdict=invalid", ["counter-crash/1"]), ("verdict=did+not+end", ["kv-cut/2"]),
    ("workload=kv&nemesis=crash", ["kv-cut/1"]), ("workload=tea", [])])
def test_the_list_can_be_filtered(query: str, names: list[str], client: Any) -> None:
    """By workload, nemesis, bug and verdict."""
    text = client.get(f"/?{query}").text
    assert sorted(re.findall('<a href="/run/([^"]+)"', text)) == names
    assert f"{len(names)} of 3 runs" in text


def test_a_run_and_its_files(client: Any) -> None:
    """The report as a page, what is text as text, all as an archive."""
    text = client.get("/run/counter-crash/1").text
    assert '<a href="/run/counter-crash/1/report.html">' in text and "stats" in text
    report = client.get("/run/counter-crash/1/report.html")
    assert report.headers["content-type"].startswith("text/html") and "the report" in report.text
    assert "script-src 'unsafe-inline'" in report.headers["content-security-policy"]
    plain = client.get("/run/counter-crash/1/report.txt")
    assert plain.headers["content-type"].startswith("text/plain") and plain.text.startswith("<b>")
    packed = client.get("/zip/counter-crash/1")
    names = zipfile.ZipFile(io.BytesIO(packed.content)).namelist()
    assert "counter-crash-1/history.jsonl" in names and len(names) == 6
    assert "counter-crash-1.zip" in packed.headers["content-disposition"]


def test_two_runs_are_compared(store: Path, client: Any) -> None:
    """Verdicts, what was run, and where they differ first, in the words of `diff`."""
    both = {"one": "counter-crash/1", "other": "kv-cut/1"}
    assert "they cannot be compared: " in client.get("/compare", params=both).text
    for name, value in (("counter-crash/1", 1), ("kv-cut/1", 2)):
        op = {"process": 0, "type": "invoke", "f": "set", "value": value}
        (store / name / "history.jsonl").write_text(json.dumps(op) + "\n")
        (store / name / "trace.jsonl").write_text("")
    text = client.get("/compare", params=both).text
    assert "A: op 0, process 0: invoke set 1" in text and "B: op 0, process 0: invoke set 2" in text
    assert "trace:" not in text
    same = client.get("/compare", params={**both, "other": both["one"]}).text
    assert "none: the same test, the same history, the same trace" in same
    assert "<td>workload</td><td>counter</td><td>kv</td>" in text
    assert "<td>nemesis</td><td>crash</td><td>cut, crash</td>" in text
    for names in ({}, {"one": "kv-cut/1"}, {"one": "kv-cut/1", "other": "../secret.txt"}):
        assert client.get("/compare", params=names).status_code == 404


@pytest.mark.parametrize("path", [
    "/run/../../secret.txt", "/run/kv-cut/1/..%2f..%2f..%2fsecret.txt", "/run/kv-cut/1/%2e%2e",
    "/run/kv-cut/1/..%5c..%5csecret.txt", "/run/%2e%2e/store/kv-cut",
    "/run/latest", "/run/kv-cut/latest", "/run/kv-cut/1/leak.txt", "/run/kv-cut/1/.hidden",
    "/run/kv-cut/1/%00", "/zip/../store", "/run/kv-cut/01", "/run//etc/passwd", "/etc/passwd",
    "/run/kv-cut/1//etc/passwd", "/run/linked/1", "/run/kv-cut/1/folder"])
def test_what_is_not_in_the_store_is_not_found(path: str, store: Path,
                                               client: Any) -> None:
    """However it is asked for: dots, encoded, links out of the store, folders."""
    (store / "kv-cut/1/leak.txt").symlink_to(store.parent / "secret.txt")
    (store / "kv-cut/1/.hidden").write_text("secret")
    (store / "kv-cut/1/folder").mkdir()
    stored(store.parent / "outside", "1")
    (store / "linked").symlink_to(store.parent / "outside")
    answer = client.get(path)
    assert answer.status_code == 404 and "secret" not in answer.text
    assert "leak" not in client.get("/run/kv-cut/1").text
    archive = zipfile.ZipFile(io.BytesIO(client.get("/zip/kv-cut/1").content))
    assert not any("leak" in name or "hidden" in name for name in archive.namelist())


@pytest.mark.parametrize("headers, status", [
    ({}, 200), ({"Host": "localhost:1"}, 200), ({"Host": "evil.example"}, 400),
    ({"Host": "127.0.0.1.evil.example"}, 400), ({"Host": ""}, 400),
    ({"Origin": "http://127.0.0.1:8011"}, 200), ({"Origin": "http://evil.example"}, 403),
    ({"Origin": "null"}, 403), ({"Origin": "http://127.0.0.1:9"}, 403),
    ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
    ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 200),
    ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, 200)])
def test_other_hosts_and_other_sites_are_refused(headers: dict[str, str], status: int,
                                                 client: Any) -> None:
    """And no answer lets another site read it."""
    answer = client.get("/", headers=headers)
    assert answer.status_code == status
    assert not [name for name in answer.headers if name.startswith("access-control")]
    if status != 400:
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "script" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_it_only_reads(method: str, store: Path, client: Any) -> None:
    """Whatever the path."""
    for path in ("/", "/run/kv-cut/1", "/run/kv-cut/1/report.txt", "/nowhere"):
        assert client.request(method, path).status_code == 405
    assert client.head("/").status_code == 200


def test_names_are_shown_as_they_are(store: Path, client: Any) -> None:
    """A stored test may say anything; it is text."""
    stored(store, "odd/1", workload="<script>alert(1)</script>", command="<i>")
    (store / "kv-cut/2/test.json").write_text("{")
    stored(store, "a b&c/1")
    for path in ("/", "/run/odd/1"):
        assert "<script>" not in client.get(path).text
    assert "unreadable: " in client.get("/").text
    assert client.get("/run/a%20b%26c/1").status_code == 200


def test_a_run_that_ends_later_is_read_again(store: Path, client: Any) -> None:
    """What was remembered of it is not shown for ever."""
    assert "did not end" in client.get("/run/kv-cut/2").text
    shutil.copy(store / "counter-crash/1/results.json", store / "kv-cut/2/results.json")
    assert "invalid" in client.get("/run/kv-cut/2").text


def test_it_is_served_on_loopback(store: Path) -> None:
    """A real socket, a free port, and nothing else on stdout."""
    words = [sys.executable, "-m", "checker", "serve", "--store", str(store), "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=store,
                          env={**os.environ, "PYTHONPATH": str(ROOT)}) as process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().split()[0]
            assert url.startswith("http://127.0.0.1:")
            with urllib.request.urlopen(url, timeout=60) as answer:
                assert b"3 of 3 runs" in answer.read()
            for path in ("/run/kv-cut/1/../../../../secret.txt", "/../secret.txt", "/run/../.."):
                connection = http.client.HTTPConnection(url.split("/")[2], timeout=60)
                connection.request("GET", path)
                assert connection.getresponse().status == 404
                connection.close()
        finally:
            process.terminate()


@pytest.mark.parametrize("words, problem", [
    (["--port", "70000"], "port is 70000, expected a number from 0 to 65535"),
    (["--store", "nowhere"], "nowhere: no such folder"),
    (["--host", "192.0.2.1"], "192.0.2.1:8011: cannot listen there")])
def test_what_cannot_be_served_is_one_line(words: list[str], problem: str, tmp_path: Path,
                                           capsys: pytest.CaptureFixture[str]) -> None:
    """And no server."""
    assert main(["serve", "--store", str(tmp_path), *words]) == 254
    assert problem in capsys.readouterr().err


def test_a_missing_extra_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                     capsys: pytest.CaptureFixture[str]) -> None:
    """It says what to install."""
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["serve", "--store", str(tmp_path)]) == 254
    assert "pip install 'double-eleven[serve]'" in capsys.readouterr().err
