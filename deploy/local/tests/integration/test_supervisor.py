"""A real supervisord, with programs that only say what they were given."""

import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from synctalk_local.part import Part
from synctalk_local.supervisor import Supervisor
from synctalk_testkit.eventually import eventually_blocking

SAY = "import os; print(sorted(name for name in os.environ if name.startswith('SYNCTALK_')))"


def saying(directory: Path, environment: dict[str, str]) -> Part:
    return Part("sayer", 0, (sys.executable, "-c", SAY), lambda: True, directory, environment)


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor(tmp_path, tmp_path / "logs")
    yield supervisor
    pid = supervisor.pid()
    supervisor.shut_down()
    if pid is not None and psutil.pid_exists(pid):
        psutil.wait_procs([psutil.Process(pid)], timeout=10)


def test_program__gets_its_own_settings_and_none_of_the_shell_that_started_supervisord(
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
