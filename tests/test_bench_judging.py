"""The measurements of the judge run, on as little as possible."""

from __future__ import annotations

import pytest

from bench import bare_models, invalid, parts
from bench.synthetic import Shape
from checker import linearizable


@pytest.mark.parametrize("row", parts.ROWS, ids=lambda row: f"{row.keys} {row.shape.model}")
def test_keys_are_judged_by_one_thread_and_by_several(row: parts.Row) -> None:
    little = row._replace(keys=4, shape=row.shape._replace(calls=200))
    history, model = parts.keyed(little)
    verdict = linearizable(history, model)
    assert verdict.valid is True and verdict.evidence["parts"] == 4
    assert all(took_s > 0 for took_s in parts.measure(little, 2))


@pytest.mark.parametrize("shape", bare_models.SHAPES, ids=str)
def test_models_are_judged_with_all_said_and_with_nothing(shape: Shape) -> None:
    assert all(took_s > 0 for took_s in bare_models.measure(shape._replace(calls=200)))


@pytest.mark.parametrize("shape", invalid.SHAPES, ids=str)
def test_invalid_histories_are_judged_beside_valid_ones(shape: Shape) -> None:
    rows = invalid.rows(shape._replace(calls=300))
    assert [row.how for row in rows] == ["strange", "again", "swapped"]
    assert rows[0].verdict.valid is False and rows[0].ratio > 0
    assert rows[0].verdict.evidence["core"]
