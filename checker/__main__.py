"""The front door: `python -m checker` is the command line of the whole distribution."""

from harness.cli import main

raise SystemExit(main())
