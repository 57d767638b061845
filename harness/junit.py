"""Cases as JUnit XML, the dialect that GitLab, Jenkins and the readers of pytest's files know.

A violation is a failure; unknown, refused and crashed are errors, never passes; a vacuous run among
others that proved something is skipped.  XML cannot hold most control characters, however they
are written, so those are spelt out.
"""

from __future__ import annotations

import re
from typing import Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from harness.case import Case

KINDS = {"invalid": "failure", "crashed": "error", "refused": "error", "unknown": "error",
         "vacuous": "skipped"}
FORBIDDEN = re.compile("[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(command: str, cases: Sequence[Case]) -> bytes:
    """A whole document, of one suite that has the command's name."""
    took_s = sum(case.took_s for case in cases)
    kinds = [KINDS.get(case.outcome, "") for case in cases]
    counts = {"tests": str(len(cases)), "failures": str(kinds.count("failure")),
              "errors": str(kinds.count("error")), "skipped": str(kinds.count("skipped")),
              "time": f"{took_s:.3f}"}
    root = Element("testsuites", {"name": "double-eleven", **counts})
    suite = SubElement(root, "testsuite", {"name": f"checker {command}", **counts})
    for case in cases:
        _add(suite, case)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _add(suite: Element, case: Case) -> None:
    element = SubElement(suite, "testcase", classname=spelt(case.group), name=spelt(case.name),
                         time=f"{case.took_s:.3f}")
    kind = KINDS.get(case.outcome)
    if kind is not None:
        told = SubElement(element, kind, message=spelt(case.why), type=case.outcome)
        told.text = spelt(case.text or case.why)
    if case.artifacts:
        SubElement(element, "system-out").text = spelt("\n".join(case.artifacts))


def spelt(text: str) -> str:
    """The text with what XML cannot hold as an escape of Python's."""
    return FORBIDDEN.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
