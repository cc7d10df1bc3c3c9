from pathlib import Path

from synctalk_local.credentials import credentials_in
from synctalk_local.ports import ports_for
from synctalk_local.services import service_parts


def test_service__secrets__are_files_and_never_on_the_command_line_or_in_the_environment(tmp_path: Path) -> None:
    credentials = credentials_in(tmp_path)
    secrets = {credentials.internal_secret, credentials.redis, credentials.rabbitmq, *credentials.databases.values()}

    for part in service_parts(tmp_path, ports_for(8080), credentials, {}):
        shown = " ".join([*part.command, *part.environment.values()])
        assert not any(secret in shown for secret in secrets)


def test_service__database__is_its_own_alone(tmp_path: Path) -> None:
    credentials = credentials_in(tmp_path)
    parts = {part.name: part for part in service_parts(tmp_path, ports_for(8080), credentials, {})}

    assert not any(path.name == "synctalk_database_url" for path in parts["gateway-1"].files)
    assert credentials.databases["auth"] not in "".join(parts["api-1"].files.values())


def test_settings__given_to_the_stack__cannot_move_a_service(tmp_path: Path) -> None:
    given = {"SYNCTALK_HTTP_PORT": "1", "SYNCTALK_LOG_LEVEL": "debug"}

    part = service_parts(tmp_path, ports_for(8080), credentials_in(tmp_path), given)[0]

    assert part.environment["SYNCTALK_HTTP_PORT"] == str(part.port)
    assert part.environment["SYNCTALK_LOG_LEVEL"] == "debug"


def test_credentials__asked_twice__are_the_same_and_private(tmp_path: Path) -> None:
    assert credentials_in(tmp_path) == credentials_in(tmp_path)
    assert (tmp_path / "credentials.json").stat().st_mode & 0o777 == 0o600
