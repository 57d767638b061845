"""Guest programs: C sources, one file each, over one runtime, and their built images."""
