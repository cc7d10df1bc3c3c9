import json
from pathlib import Path

import pytest
from synctalk_backing.process import Account, ProcessSpec
from synctalk_local.supervision.client import Supervisor
from synctalk_local.supervision.daemon import Program
from synctalk_local.supervision.socket_path import socket_path


def spec(name: str = "redis", **fields: object) -> ProcessSpec:
    given = {"name": name, "port": 1, "command": ("/bin/redis",), "is_ready": lambda: True, "directory": Path("/d")}
    return ProcessSpec(**(given | fields))  # type: ignore[arg-type]


def written(tmp_path: Path, *specs: ProcessSpec) -> list[Program]:
    supervisor = Supervisor(tmp_path, tmp_path / "logs")
    supervisor.write(specs)
    return [Program.from_json(fields) for fields in json.loads((supervisor.directory / "programs.json").read_text())]


@pytest.mark.parametrize(
    "value", ["plain", 'a "b" c', "it's", """it's "both" """, "-eval 'x' -noinput", '["http://a", "http://b"]', "a,b=c"]
)
def test_environment__with_quotes_and_commas__is_read_back_as_it_was(tmp_path: Path, value: str) -> None:
    [program] = written(tmp_path, spec(environment={"A": value, "B": "2"}))

    assert program.environment == {"A": value, "B": "2"}


def test_command__with_spaces_and_quotes__is_read_back_as_it_was(tmp_path: Path) -> None:
    command = ("/bin/x y", "-c", 'say "hi"', "back\\slash")

    [program] = written(tmp_path, spec(command=command))

    assert program.command == command


def test_forking_server__is_started_past_what_a_killed_one_left__as_its_own_user(tmp_path: Path) -> None:
    [program] = written(tmp_path, spec("postgres", account=Account("postgres", 1, 2), forks=True))

    assert (program.forks, program.directory, program.user, program.group) == (True, "/d", 1, 2)


def test_programs__hold_settings__and_are_their_owner_s_alone(tmp_path: Path) -> None:
    written(tmp_path, spec())

    assert (tmp_path / "supervisor" / "programs.json").stat().st_mode & 0o077 == 0


def test_socket__of_a_deep_data_folder__is_short_enough_for_a_socket(tmp_path: Path) -> None:
    assert len(str(socket_path(tmp_path / ("deep/" * 40)))) < 108
