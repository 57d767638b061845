"""What a check concludes: valid, invalid or unknown, and why.

False outranks unknown, unknown outranks true.  Unknown is never bare: it carries its cause.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Iterable, Mapping

from histories.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The outcome of one check, or of several merged.

    ``valid`` is True, False or None (unknown).  ``why`` is one plain sentence.  ``evidence`` is
    JSON-able and names the ops (by index) or trace events that decide.  ``parts`` holds the
    verdicts that were merged into this one, by checker name.
    """

    valid: bool | None
    why: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, "Verdict"] = field(default_factory=dict)


def merge_valid(values: Iterable[bool | None]) -> bool | None:
    """False if any is False, else None if any is None, else True; True of nothing at all."""
    seen = list(values)
    if False in seen:
        return False
    return None if None in seen else True


def to_json(verdict: Verdict) -> dict[str, Any]:
    """The verdict as JSON-able data, Jepsen's way: `valid` is true, false or "unknown"."""
    data: dict[str, Any] = {
        "valid": "unknown" if verdict.valid is None else verdict.valid, "why": verdict.why}
    if verdict.evidence:
        data["evidence"] = dict(verdict.evidence)
    if verdict.parts:
        data["parts"] = {name: to_json(part) for name, part in verdict.parts.items()}
    return data


def from_json(data: Mapping[str, Any]) -> Verdict:
    """The verdict that `to_json` made this of; UsageError when it is none."""
    try:
        return Verdict(
            valid=WORDS_OF_JSON[data["valid"]], why=str(data["why"]),
            evidence=dict(data.get("evidence", {})),
            parts={name: from_json(part) for name, part in data.get("parts", {}).items()})
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        raise UsageError(f"results.json: expected a verdict with valid and why: "
                         f"{type(problem).__name__} {problem}") from None


def word(valid: bool | None) -> str:
    """Valid, invalid or unknown."""
    return {True: "valid", False: "invalid", None: "unknown"}[valid]


WORDS_OF_JSON = {True: True, False: False, "unknown": None}
