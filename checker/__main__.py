"""The front door: `python -m checker` is the command line of the whole distribution."""

from harness.cli import main

if __name__ == "__main__":     # worker processes import this module under another name
    raise SystemExit(main())
