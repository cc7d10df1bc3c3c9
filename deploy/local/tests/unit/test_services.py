from pathlib import Path

from synctalk_local.credentials import credentials_in
from synctalk_local.ports import ports_for
from synctalk_local.processes.services import service_specs


def test_service__secrets__are_files_and_never_on_the_command_line_or_in_the_environment(tmp_path: Path) -> None:
    credentials = credentials_in(tmp_path)
    secrets = {credentials.internal_secret, credentials.redis, credentials.rabbitmq, *credentials.databases.values()}

    for spec in service_specs(tmp_path, ports_for(8080), credentials, {}):
        shown = " ".join([*spec.command, *spec.environment.values()])
        assert not any(secret in shown for secret in secrets)


def test_service__database__is_its_own_alone(tmp_path: Path) -> None:
    credentials = credentials_in(tmp_path)
    specs = {spec.name: spec for spec in service_specs(tmp_path, ports_for(8080), credentials, {})}

    assert not any(path.name == "synctalk_database_url" for path in specs["gateway-1"].files)
    assert credentials.databases["auth"] not in "".join(specs["api-1"].files.values())


def test_settings__given_to_the_stack__cannot_move_a_service(tmp_path: Path) -> None:
    given = {"SYNCTALK_HTTP_PORT": "1", "SYNCTALK_LOG_LEVEL": "debug"}

    spec = service_specs(tmp_path, ports_for(8080), credentials_in(tmp_path), given)[0]

    assert spec.environment["SYNCTALK_HTTP_PORT"] == str(spec.port)
    assert spec.environment["SYNCTALK_LOG_LEVEL"] == "debug"


def test_credentials__asked_twice__are_the_same_and_private(tmp_path: Path) -> None:
    assert credentials_in(tmp_path) == credentials_in(tmp_path)
    assert (tmp_path / "credentials.json").stat().st_mode & 0o777 == 0o600
