import json
from pathlib import Path

from synctalk_local.credentials import credentials_in
from synctalk_local.ports import ports_for
from synctalk_local.processes.services import service_specs


def test_service__secrets__are_files_and_never_on_the_command_line_or_in_the_environment(tmp_path: Path) -> None:
    credentials = credentials_in(tmp_path)
    several = (
        credentials.databases,
        credentials.redis_accounts,
        credentials.rabbitmq_accounts,
        credentials.internal_secrets,
    )
    secrets = {credentials.redis, credentials.rabbitmq, *(secret for each in several for secret in each.values())}

    for spec in service_specs(tmp_path, ports_for(8080), credentials, {}):
        shown = " ".join([*spec.command, *spec.environment.values()])
        assert not any(secret in shown for secret in secrets)


def test_service__database__is_its_own_alone(tmp_path: Path) -> None:
    credentials = credentials_in(tmp_path)
    specs = {spec.name: spec for spec in service_specs(tmp_path, ports_for(8080), credentials, {})}

    assert not any(path.name == "synctalk_database_url" for path in specs["gateway-1"].files)
    assert credentials.databases["auth"] not in "".join(specs["api-1"].files.values())


def test_service__accounts__are_its_own_and_it_knows_its_callers_alone(tmp_path: Path) -> None:
    credentials = credentials_in(tmp_path)
    specs = {spec.name: spec for spec in service_specs(tmp_path, ports_for(8080), credentials, {})}
    notifiers = "".join(specs["notifier-1"].files.values())

    for several in (credentials.redis_accounts, credentials.rabbitmq_accounts, credentials.internal_secrets):
        assert [name for name, secret in several.items() if secret in notifiers] == ["notifier"]
    assert not any(secret in notifiers for secret in (credentials.redis, credentials.rabbitmq))
    known = {path.name for path in specs["presence-1"].files if path.name.startswith("synctalk_internal_secret_")}
    assert known == {"synctalk_internal_secret_gateway", "synctalk_internal_secret_notifier"}


def test_credentials__of_an_older_folder__are_kept_and_completed(tmp_path: Path) -> None:
    before = credentials_in(tmp_path)
    known = {"redis": before.redis, "databases": before.databases, "internal_secret": "shared by all services"}
    (tmp_path / "credentials.json").write_text(json.dumps(known))

    after = credentials_in(tmp_path)

    assert (after.redis, after.databases) == (before.redis, before.databases)
    assert after.internal_secrets.keys() == before.internal_secrets.keys()
    assert credentials_in(tmp_path) == after


def test_settings__given_to_the_stack__cannot_move_a_service(tmp_path: Path) -> None:
    given = {"SYNCTALK_HTTP_PORT": "1", "SYNCTALK_LOG_LEVEL": "debug"}

    spec = service_specs(tmp_path, ports_for(8080), credentials_in(tmp_path), given)[0]

    assert spec.environment["SYNCTALK_HTTP_PORT"] == str(spec.port)
    assert spec.environment["SYNCTALK_LOG_LEVEL"] == "debug"


def test_credentials__asked_twice__are_the_same_and_private(tmp_path: Path) -> None:
    assert credentials_in(tmp_path) == credentials_in(tmp_path)
    assert (tmp_path / "credentials.json").stat().st_mode & 0o777 == 0o600
