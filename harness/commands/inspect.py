"""Explain a stored run: the latest, or the one named."""

from __future__ import annotations

import argparse

from checker.verdict import EXIT_CODES, from_json
from harness.commands.run import add_store
from harness.page import write_run_page
from harness.run import checks_of, conclude
from harness.show import summary
from harness.test import from_json as test_from_json
from histories.store import resolve


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which run."""
    parser.add_argument("run", nargs="?", metavar="RUN",
                        help="its folder, or its name in the store (default: the latest)")
    add_store(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Judge what is stored again, and explain it; a run cut off is judged as far as it got."""
    stored = resolve(arguments.store, arguments.run)
    verdict, explanation = conclude(stored, checks_of(test_from_json(stored.test)))
    if stored.results is None:
        print(f"{stored.path}: this run did not end; judged as far as it got\n")
    elif from_json(stored.results).valid is not verdict.valid:
        print(f"{stored.path}: results.json says otherwise; it was judged by other rules\n")
    page = write_run_page(stored.path, stored, verdict, explanation)
    print("\n".join([*summary(stored, verdict), "", page, ""]))
    print("\n".join(explanation))
    return EXIT_CODES[verdict.valid]
