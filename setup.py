"""Builds the native extensions; everything else about the distribution is in setup.cfg.

Each extension is optional: a missing or failing compiler costs speed, never the installation.
"""

from pathlib import Path

from setuptools import Extension, setup

SOURCES = sorted(Path(__file__).parent.glob("*/_*.cpp"))


def extension(source: Path) -> Extension:
    """The extension that one C++ file builds: `checker/_search.cpp` becomes `checker._search`."""
    package, name = source.parent.name, source.stem
    return Extension(
        f"{package}.{name}",
        [f"{package}/{source.name}"],
        depends=[f"{package}/{header.name}" for header in sorted(source.parent.glob("*.h"))],
        language="c++",
        extra_compile_args=["-std=c++17", "-O3"],
        optional=True,
    )


setup(ext_modules=[extension(source) for source in SOURCES])
