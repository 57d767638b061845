"""One run from names to an exit code: the driver, the command line, the pytest plugin."""
