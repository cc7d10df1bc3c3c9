"""A real supervisor, with programs that only say what they were given."""

import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from synctalk_backing.process import ProcessSpec
from synctalk_local.supervision.client import Supervisor
from synctalk_testkit.eventually import eventually_blocking

SAY = "import os; print(sorted(name for name in os.environ if name.startswith('SYNCTALK_')))"


def saying(directory: Path, environment: dict[str, str]) -> ProcessSpec:
    return ProcessSpec("sayer", 0, (sys.executable, "-c", SAY), lambda: True, directory, environment)


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor(tmp_path, tmp_path / "logs")
    yield supervisor
    pid = supervisor.pid()
    supervisor.shut_down()
    if pid is not None and psutil.pid_exists(pid):
        psutil.wait_procs([psutil.Process(pid)], timeout=10)


def test_program__gets_its_own_settings_and_none_of_the_shell_that_started_the_supervisor(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNCTALK_MESSAGE_RATE", "1")
    supervisor.write([saying(tmp_path, {"SYNCTALK_LOG_LEVEL": "INFO"})])
    supervisor.start()
    monkeypatch.delenv("SYNCTALK_MESSAGE_RATE")

    supervisor.start_program("sayer")

    log = tmp_path / "logs" / "sayer.log"
    eventually_blocking(lambda: log.exists() and bool(log.read_text()), message="the program said nothing")
    assert log.read_text().splitlines()[0] == "['SYNCTALK_LOG_LEVEL']"


def test_program__that_ends__is_not_started_unasked_and_then_comes_back_until_it_is_stopped(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    supervisor.write([saying(tmp_path, {})])
    supervisor.start()
    log = tmp_path / "logs" / "sayer.log"
    assert supervisor.states()["sayer"].state == "stopped"
    assert not log.exists()

    supervisor.start_program("sayer")
    eventually_blocking(lambda: log.exists() and log.read_text().count("\n") > 2, message="it did not come back")
    supervisor.stop_program("sayer")

    assert (supervisor.states()["sayer"].state, supervisor.states()["sayer"].pid) == ("stopped", 0)


def test_program__that_does_not_exist__is_failed(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.write([ProcessSpec("sayer", 0, ("/nowhere",), lambda: True, tmp_path)])
    supervisor.start()

    supervisor.start_program("sayer")

    eventually_blocking(lambda: supervisor.states()["sayer"].state == "failed")


def test_program__that_ignores_its_signal__is_killed_after_its_time(supervisor: Supervisor, tmp_path: Path) -> None:
    script = "import signal as s, time; s.signal(s.SIGTERM, s.SIG_IGN); print('up', flush=True); time.sleep(600)"
    command = (sys.executable, "-c", script)
    supervisor.write([ProcessSpec("stubborn", 0, command, lambda: True, tmp_path, stop_wait_s=1)])
    supervisor.start()
    supervisor.start_program("stubborn")
    log = tmp_path / "logs" / "stubborn.log"
    eventually_blocking(lambda: log.exists() and log.read_text() == "up\n")
    process = psutil.Process(supervisor.states()["stubborn"].pid)

    supervisor.stop_program("stubborn")

    assert not process.is_running()
