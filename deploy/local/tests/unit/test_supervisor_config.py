import configparser
import shlex
from pathlib import Path

import pytest
from supervisor.datatypes import dict_of_key_value_pairs
from synctalk_local.part import Account, Part
from synctalk_local.supervisor import Supervisor, config_text


def part(name: str = "redis", **fields: object) -> Part:
    given = {"name": name, "port": 1, "command": ("/bin/redis",), "is_ready": lambda: True, "directory": Path("/d")}
    return Part(**(given | fields))  # type: ignore[arg-type]


def parsed(*parts: Part) -> configparser.ConfigParser:
    text = config_text(parts, Path("/data/supervisor"), Path("/data/logs"), Path("/data/s.sock"))
    config = configparser.ConfigParser(interpolation=None)
    config.read_string(text)
    return config


def test_environment__that_supervisord_cannot_carry__is_refused() -> None:
    with pytest.raises(ValueError, match="cannot carry"):
        parsed(part(environment={"A": """it's "both" """}))


@pytest.mark.parametrize(
    "value", ["plain", 'a "b" c', "it's", "-eval 'x' -noinput", '["http://a", "http://b"]', "a,b=c"]
)
def test_environment__with_quotes_and_commas__is_read_back_as_it_was(value: str) -> None:
    config = parsed(part(environment={"A": value, "B": "2"}))

    assert dict_of_key_value_pairs(config["program:redis"]["environment"]) == {"A": value, "B": "2"}


def test_command__with_spaces_and_quotes__is_read_back_as_it_was() -> None:
    command = ("/bin/x y", "-c", 'say "hi"', "back\\slash")

    assert tuple(shlex.split(parsed(part(command=command))["program:redis"]["command"])) == command


def test_every_program__comes_back_for_ever_and_is_never_started_by_itself() -> None:
    program = parsed(part())["program:redis"]

    assert (program["autostart"], program["autorestart"], program["startsecs"]) == ("false", "true", "0")
    assert program["killasgroup"] == "true"


def test_forking_server__is_launched_past_what_a_killed_one_left__as_its_own_user() -> None:
    program = parsed(part("postgres", account=Account("postgres", 1, 1)))["program:postgres"]

    words = shlex.split(program["command"])
    assert words[1:6] == ["-m", "synctalk_local.launch", "/d", "postgres", "--"]


def test_socket__of_a_deep_data_folder__is_short_enough_for_a_socket(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path / ("deep/" * 40), tmp_path)

    assert len(str(supervisor._socket)) < 108
