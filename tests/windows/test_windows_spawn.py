from __future__ import annotations

import _winapi
import msvcrt
import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from bundlevisor.actors.process import child_windows
from bundlevisor.actors.process.spawn_request import SpawnRequest
from bundlevisor.actors.process.windows import api, command, create_process, jobs
from tests.windows import started as services

assert sys.platform == "win32"


def test_output_and_exit_code_arrive(start: services.Starter) -> None:
    started = start("import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)")
    assert sorted(started.rest().split()) == ["err", "out"]
    assert started.ended.wait(services.DEADLINE)
    assert started.child.poll() == 7


def test_arguments_environment_and_folder_arrive_unchanged(
    start: services.Starter, tmp_path: Path
) -> None:
    words = ["a b", 'say "hi"', "end\\", "", "ä€😀", "%PATH%", "^&|<>"]
    code = "import os, sys; print(ascii((sys.argv[1:], os.environ['word'], os.getcwd())))"
    env = dict(os.environ) | {"WORD": "no", "word": "ü😀"}
    started = start.program(sys.executable, "-c", code, *words, env=env, cwd=str(tmp_path))
    said, word, folder = eval(started.line())
    assert said == words
    assert word == "ü😀"
    assert os.path.samefile(folder, tmp_path)


def test_nothing_is_in_the_environment_but_what_is_given(start: services.Starter) -> None:
    started = start("import os; print(sorted(os.environ))", env={"ONLY": "this"})
    assert {"ONLY", "SYSTEMROOT"} <= set(eval(started.line()))
    assert "PYTHONPATH" not in start("import os; print(list(os.environ))", env={}).line()


def test_standard_input_is_at_its_end(start: services.Starter) -> None:
    assert start("import sys; print(repr(sys.stdin.read()))").line() == "''"


def test_a_service_inherits_no_other_handle_even_if_it_is_inheritable(
    start: services.Starter,
) -> None:
    read_end, write_end = os.pipe()
    os.set_inheritable(write_end, True)
    started = start(services.SLEEPS)
    assert started.line() == "up"
    os.close(write_end)
    assert os.read(read_end, 1) == b"", "the service holds the pipe's write end"
    os.close(read_end)


def test_a_missing_program_is_an_error_that_names_it(
    start: services.Starter, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        start.program(str(tmp_path / "nothing"))
    assert caught.value.filename == str(tmp_path / "nothing")


def test_a_file_that_is_no_program_is_an_error_that_names_it(
    start: services.Starter, tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text("print(1)\n")
    with pytest.raises(OSError, match=r"script\.py"):
        start.program(str(script))


def test_a_missing_folder_is_an_error(start: services.Starter, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"python\.exe"):
        start.program(sys.executable, "-c", "pass", cwd=str(tmp_path / "nothing"))


def test_a_batch_file_gets_its_arguments_and_runs_none_of_them(
    start: services.Starter, tmp_path: Path
) -> None:
    batch = tmp_path / "my tool.cmd"
    batch.write_text(f'@"{sys.executable}" -c "import sys; print(sys.argv[1:])" %*\n')
    words = ["a b", "x&echo owned", "(y)", "p^q"]
    started = start.program(str(tmp_path / "my tool"), *words)
    assert eval(started.line()) == words
    assert "owned" not in started.rest()


def test_the_exit_is_told_once_and_the_status_stays_after_closing(start: services.Starter) -> None:
    started = start("import os; os._exit(-1073741819)")
    assert started.ended.wait(services.DEADLINE)
    started.child.close()
    assert started.child.poll() == 0xC0000005
    assert started.child.survivors() == []
    started.child.kill()


def test_the_create_time_tells_two_processes_apart(start: services.Starter) -> None:
    first, second = start(services.SLEEPS), start(services.SLEEPS)
    assert 0 < first.child.created < second.child.created


def test_where_birth_in_a_job_is_unknown_a_service_still_is_in_its_jobs(
    start: services.Starter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(create_process, "_offer", lambda *_: False)
    started = start(services.SLEEPS)
    assert started.line() == "up"
    assert started.child.pid in started.child.job.pids()
    assert started.child.pid in jobs.runtime_job().pids()


def test_a_service_that_cannot_be_put_in_its_jobs_does_not_live(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(create_process, "_offer", lambda *_: False)
    seen: list[int] = []
    make = create_process._create_process

    def remember(*arguments: Any) -> Any:
        made = make(*arguments)
        seen.append(made.pid)
        return made

    monkeypatch.setattr(create_process, "_create_process", remember)
    with pytest.raises(OSError):  # noqa: PT011 - Windows words it
        create_process.create(
            command.Command(application=sys.executable, line="python -c pass"),
            "\0",
            cwd=os.getcwd(),
            output=1,
            jobs=[jobs.Job(0)],
            flags=0,
        )
    assert len(seen) == 1
    services.wait_until(
        lambda: not services.is_alive(seen[0]), "the end of the process outside of its job"
    )


def test_spawning_leaves_no_handle_behind() -> None:
    _spawn_and_close()
    before = _highest_handle()
    for _ in range(20):
        _spawn_and_close()
    services.wait_until(
        lambda: _highest_handle() < before + 4 * 20, "fewer new handles than processes"
    )


def _spawn_and_close() -> None:
    nul = os.open(os.devnull, os.O_RDWR)
    argv = (sys.executable, "-S", "-c", "pass")
    child = child_windows.spawn(
        SpawnRequest(argv=argv, env=dict(os.environ), cwd=os.getcwd(), output=nul)
    )
    os.close(nul)
    ended = threading.Event()
    child.watch_exit(services.LOOP, ended.set)
    assert ended.wait(services.DEADLINE)
    child.close()


def _highest_handle() -> int:
    """Return a new handle's value: they are multiples of four, the lowest free one first."""
    read_end, write_end = os.pipe()
    highest = max(msvcrt.get_osfhandle(read_end), msvcrt.get_osfhandle(write_end))
    os.close(read_end)
    os.close(write_end)
    return highest


def test_a_process_can_be_created_only_with_a_handle_that_is_open() -> None:
    with pytest.raises(OSError):  # noqa: PT011 - Windows words it
        api.created(0)
    assert api.created(_winapi.GetCurrentProcess()) > 0
