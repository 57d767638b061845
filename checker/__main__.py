"""The front door: `python -m checker` is the command line of the whole distribution."""

if __name__ == "__main__":     # worker processes import this module under another name
    from harness.cli import main

    raise SystemExit(main())
