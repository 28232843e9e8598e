"""Judges mutants in one session of pytest: run by :mod:`tests.mutants`, in its copy.

mutmut begins a session for each mutant, which takes seconds. Here the tests are collected and run
once, which says what each of them reaches; each mutant is then a fork of that process, in which
the tests that reach it run until one fails: first those that have noticed something in the same
function or file, then the quickest.
"""

from __future__ import annotations

import contextlib
import fnmatch
import functools
import gc
import importlib
import itertools
import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import Phase, settings

SLACK_S = 2.0
"""Seconds of the processor that a test may take beyond ten times what it took before."""
STILL_S = 120.0
"""Seconds after which a test is taken to wait for what never comes."""
NOTICED, UNNOTICED, UNREACHED, ENDLESS = 1, 0, 33, 36
"""Exit codes as mutmut keeps them."""
_CACHED = type(functools.cache(len))


class Judge:
    """The plugin. ``wanted`` are patterns of names; ``left``: only what no test noticed last."""

    def __init__(self, wanted: list[str], left: bool) -> None:
        self._wanted = wanted
        self._left = left
        self._reach: dict[str, set[int]] = defaultdict(set)
        self._took: dict[int, float] = defaultdict(float)
        self._useful: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        """By function and by module: which tests have noticed something, and how often."""
        self._caches: list[Any] = []
        self._trampoline = importlib.import_module("mutmut.mutation.trampoline")
        self._state = importlib.import_module("mutmut.state").state
        self._mangled = importlib.import_module("mutmut.utils.format_utils")

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self) -> None:
        """A failure is enough: examples are not made smaller, nor kept for the next mutant."""
        phases = (Phase.explicit, Phase.generate)
        settings.register_profile("mutants", settings(), phases=phases, database=None)
        settings.load_profile("mutants")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """See what each test reaches, then judge."""
        self._caches = [thing for thing in _ours() if type(thing) is _CACHED]
        if session.testsfailed or not self._explore(session):
            raise session.Failed("the tests do not pass as they are")
        self._trampoline.set_mutant_under_test("")
        gc.freeze()  # else each child would write to, and so copy, all there is
        for data, names in self._mutants():
            for number, name in enumerate(names):
                data.exit_code_by_key[name] = self._judge(name, session.items)
                if number % 5 == 0:
                    data.save()
            data.save()
            left = sum(data.exit_code_by_key[name] in (UNNOTICED, UNREACHED) for name in names)
            print(f"{data.path}: {left} of {len(names)} left", flush=True)
        return True

    def _explore(self, session: pytest.Session) -> bool:
        self._trampoline.set_mutant_under_test("stats")
        hits: set[str] = self._state()._stats
        for number, (item, following) in enumerate(_pairs(session.items)):
            self._forget()  # else only the first test would reach what is remembered
            began = time.process_time()
            reports = runtestprotocol(item, log=False, nextitem=following)
            self._took[number] = time.process_time() - began
            for name in hits:
                self._reach[name].add(number)
            hits.clear()
            if broken := [report for report in reports if report.failed]:
                print(item.nodeid, broken[0].longreprtext, flush=True)
                return False
        return True

    def _mutants(self) -> Iterator[tuple[Any, list[str]]]:
        """Yield each file's results, and which of its mutants are to be judged, as wanted first."""
        mutmut = importlib.import_module("mutmut.__main__")
        with contextlib.chdir(".."):
            _, files = mutmut.collect_source_file_mutation_data(mutant_names=[])
        for data in files.values():
            data.meta_path = Path("..") / data.meta_path
        for pattern, data in itertools.product(self._wanted, files.values()):
            names = [
                name
                for name, verdict in data.exit_code_by_key.items()
                if fnmatch.fnmatch(name, pattern)
                and (not self._left or verdict in (UNNOTICED, UNREACHED, None))
            ]
            if names:
                yield data, names

    def _judge(self, name: str, items: list[pytest.Item]) -> int:
        function: str = self._mangled.mangled_name_from_mutant_name(name)
        module = function.rpartition(".")[0]
        here, near = self._useful[function], self._useful[module]
        reaching = sorted(
            self._reach[function],
            key=lambda number: (-here[number], -near[number], self._took[number]),
        )
        if not reaching:
            return UNREACHED
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            self._run_mutant(name, [(number, items[number]) for number in reaching], writer)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            begun = pipe.read().split()
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code and begun:
            here[int(begun[-1])] += 1
            near[int(begun[-1])] += 1
        return ENDLESS if code in (-signal.SIGPROF, -signal.SIGALRM) else code

    def _run_mutant(self, name: str, tests: list[tuple[int, pytest.Item]], writer: int) -> None:
        """Run these tests, in the child, saying which: end with the first that fails."""
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        gc.disable()
        self._forget()  # what was computed before the change would hide it
        self._trampoline.set_mutant_under_test(name)
        try:
            for (number, item), following in _pairs(tests):
                after = following[1] if following else None
                os.write(writer, f"{number}\n".encode())
                signal.setitimer(signal.ITIMER_PROF, 10 * self._took[number] + SLACK_S)
                signal.setitimer(signal.ITIMER_REAL, STILL_S)
                if any(r.failed for r in runtestprotocol(item, log=False, nextitem=after)):
                    os._exit(NOTICED)
        except BaseException:  # noqa: BLE001 - whatever a mutant brings down has been noticed
            os._exit(NOTICED)
        os._exit(UNNOTICED)

    def _forget(self) -> None:
        for cache in self._caches:
            cache.cache_clear()


def _ours() -> Iterator[Any]:
    """Yield what our modules hold; the garbage collector does not name what is frozen."""
    for name, module in list(sys.modules.items()):
        if name.startswith("bundlevisor."):
            yield from vars(module).values()


def _pairs(items: list[Any]) -> Iterator[tuple[Any, Any]]:
    return zip(items, [*items[1:], None], strict=True)


def main(words: list[str]) -> int:
    """Make the mutants, and judge those that ``words`` name; return the exit code."""
    left = "--left" in words
    wanted = [word for word in words if word != "--left"] or ["*"]
    mutmut = importlib.import_module("mutmut.__main__")
    set_mutant = importlib.import_module("mutmut.mutation.trampoline").set_mutant_under_test
    config = importlib.import_module("mutmut.configuration").config()
    set_mutant("mutant_generation")
    os.makedirs("mutants", exist_ok=True)
    with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        mutmut.copy_src_dir()
        mutmut.copy_also_copy_files()
        mutmut.setup_source_paths()
        mutmut.create_mutants(1)
    os.chdir("mutants")
    chosen = [*config.pytest_add_cli_args_test_selection, *config.pytest_add_cli_args]
    return int(pytest.main(["--rootdir=.", "-q", *chosen], plugins=[Judge(wanted, left)]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
