"""The store of runs as a web page."""
