"""Runs tests of the pure core under coverage, which traces nothing else.

``coverage run`` traces too what pytest does before the first test: half as long as all tests take.
Modules of the core that no test imports are imported here, so that none is left out unseen.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from coverage import Coverage


class Tracer:
    """A plugin that traces the core's modules while they are imported, and each test."""

    def __init__(self, coverage: Coverage, modules: tuple[str, ...]) -> None:
        self._coverage = coverage
        self._modules = modules

    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests(self) -> None:
        """Import all: lines outside of functions are run now, and at no other time."""
        with self._coverage.collect():
            for pattern in self._modules:
                place = pattern.removesuffix("/*").removesuffix(".py")
                module = importlib.import_module(f"bundlevisor.{place.replace('/', '.')}")
                inside = getattr(module, "__path__", ())
                for found in pkgutil.walk_packages(inside, f"{module.__name__}."):
                    importlib.import_module(found.name)

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Iterator[None]:
        """Trace what a file of tests does when it is read: some make their cases by the core."""
        if not isinstance(collector, pytest.Module):
            return (yield)
        with self._coverage.collect():
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Iterator[None]:
        """Trace a test with its fixtures."""
        with self._coverage.collect():
            return (yield)


def run(arguments: list[str], data: str, modules: tuple[str, ...], *plugins: object) -> int:
    """Run pytest; return its exit code, or 1 when not all of these modules' branches were run."""
    coverage = Coverage(data_file=data, branch=True, include=list(modules))
    code = pytest.main(arguments, [*plugins, Tracer(coverage, modules)])
    if code:
        return int(code)
    coverage.save()
    reached = coverage.report(show_missing=True, skip_covered=True, precision=2)
    return int(reached < 100)
