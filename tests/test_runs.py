"""Whole runs: a correct pair is never accused, a broken one nearly always."""

from __future__ import annotations

import os

import pytest
from seeds import Result, of_seeds, result

from checker.explain import LINES_MAX
from nemesis import NEMESES
from vmft.bugs import BUGS

ALL = tuple(NEMESES)
MIXES = [(name,) for name in NEMESES] + [ALL]
STRIKES = {"no-output-rule": ("crash", "log-loss"), "no-test-and-set": ("partition",)}
SEEDS = range(1, 21)
MANY_SEEDS = range(1, 1 + int(os.environ.get("DOUBLE_ELEVEN_SEEDS", "60")))
FEW_SEEDS = range(1, 9)
BASIC = [("crash",), ("partition",), ("log-loss",), ("crash", "partition", "log-loss")]


def check_explained(each: Result) -> None:
    """An invalid run's text is short, and ends with the commands of that very run."""
    assert len(each.explanation) <= LINES_MAX
    assert each.explanation[0].startswith("INVALID")
    again, shrink = each.explanation[-2:]
    assert again.startswith("Run it again:  python -m checker run")
    assert shrink.startswith("Shrink it:     python -m checker shrink")
    assert f"--seed {each.seed}" in again and f"--seed {each.seed}" in shrink


@pytest.mark.parametrize("nemesis", MIXES, ids=",".join)
@pytest.mark.parametrize("seed", [2])
def test_a_correct_pair_is_valid(nemesis: tuple[str, ...], seed: int) -> None:
    """Under every family of faults and all of them; nothing is unknown."""
    each = result(seed, nemesis, time_limit_s=6)
    assert each.valid is True, each.why


def test_a_pair_without_faults_answers_everything() -> None:
    """And that quickly enough for the rate."""
    each = result(1, (), time_limit_s=6)
    assert each.valid is True and each.completed > 200


@pytest.mark.parametrize("bug", sorted(STRIKES))
def test_a_broken_rule_is_convicted(bug: str) -> None:
    """By the checkers that the table of bugs names, in so many words."""
    each = result(2, STRIKES[bug], (bug,))
    assert each.valid is False and each.convicted_by & set(BUGS[bug].convicted_by)
    check_explained(each)


def test_the_double_eleven_is_told() -> None:
    """A run without the output rule shows two increments with one answer, and the crash."""
    each = result(1, ("crash", "log-loss"), ("no-output-rule",), time_limit_s=10)
    text = "\n".join(each.explanation)
    for words in ("Two different increments were both answered", "What the machines did:",
                  "crashed", "went live", "The output rule was broken"):
        assert words in text
    check_explained(each)


@pytest.mark.slow
@pytest.mark.parametrize("nemesis", BASIC, ids=",".join)
def test_many_seeds_without_a_false_alarm(nemesis: tuple[str, ...]) -> None:
    """Full runs of thirty virtual seconds; nothing invalid, nothing unknown."""
    assert alarms(MANY_SEEDS, nemesis) == []


@pytest.mark.slow
@pytest.mark.parametrize("nemesis", [each for each in MIXES if each not in BASIC], ids=",".join)
def test_some_seeds_of_every_other_family_without_a_false_alarm(nemesis: tuple[str, ...]) -> None:
    """The same, a few of each."""
    assert alarms(FEW_SEEDS, nemesis) == []


def alarms(seeds: range, nemesis: tuple[str, ...]) -> list[tuple[int, str]]:
    """The seeds that a correct pair does not pass, and why."""
    return [(each.seed, each.why) for each in of_seeds(seeds, nemesis) if each.valid is not True]


@pytest.mark.slow
@pytest.mark.parametrize("bug", sorted(STRIKES))
def test_most_seeds_convict_each_bug(bug: str) -> None:
    """By all the checkers that the table names; every text is short and ends with the command."""
    results = of_seeds(SEEDS, STRIKES[bug], (bug,))
    convicted = [each for each in results if set(BUGS[bug].convicted_by) <= each.convicted_by]
    assert 2 * len(convicted) > len(results)
    for each in convicted:
        check_explained(each)
