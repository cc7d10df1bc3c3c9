"""The services and the push stand-in as processes: `python -m synctalk_<name>` with settings by environment.

Secrets come as files: each service finds its own in a folder that only its user reads, as in production.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from synctalk_backing import probe
from synctalk_backing.postgres import postgres_url
from synctalk_backing.process import ProcessSpec
from synctalk_backing.rabbitmq import rabbitmq_url
from synctalk_backing.redis import redis_url
from synctalk_contracts.accounts import ACCESS, user_name
from synctalk_contracts.internal_routes import callers_of

from synctalk_local.credentials import Credentials
from synctalk_local.ports import Ports
from synctalk_local.processes import edge, push
from synctalk_local.topology import SERVICES, WITH_DATABASE, limits_by_address


@dataclass(frozen=True)
class _Service:
    """One process of a service."""

    name: str
    module: str
    port: int
    settings: dict[str, str]
    prepare: Callable[[], None] = lambda: None


def service_specs(data: Path, ports: Ports, credentials: Credentials, settings: Mapping[str, str]) -> list[ProcessSpec]:
    """`settings` are given to all of them; what only the stack can know has the last word."""
    return [_spec(service, data, ports, credentials, settings) for service in _services(data, ports, settings)]


def migrate_command(spec: ProcessSpec) -> tuple[str, ...]:
    """The one command that brings the service's tables up to date."""
    return (*spec.command, "migrate")


def migrate(spec: ProcessSpec) -> subprocess.Popen[str]:
    """Start the migration; the caller waits for it."""
    return subprocess.Popen(
        migrate_command(spec),
        env=command_environment(spec),
        cwd=spec.directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def command_environment(spec: ProcessSpec) -> dict[str, str]:
    """The environment of a command of the service beside its process."""
    return os.environ | dict(spec.environment)


def migrates(spec: ProcessSpec) -> bool:
    """Return whether this process's command brings its service's tables up to date: the first one's, of several."""
    return spec.name in {f"{name}-1" for name in WITH_DATABASE}


def _services(data: Path, ports: Ports, given: Mapping[str, str]) -> list[_Service]:
    auth_url, api_url, presence_url = (f"http://127.0.0.1:{p}" for p in (ports.auth, ports.api, ports.presence))
    shared = {
        "ENVIRONMENT": "development",
        "AUTH_URL": auth_url,
        "API_URL": api_url,
        "PRESENCE_URL": presence_url,
    }
    files = {"FILES_URL": given.get("SYNCTALK_FILES_URL", (data / "files").absolute().as_uri())}
    gateways = [
        _Service(
            f"gateway-{number}",
            "synctalk_gateway",
            port,
            shared | {"GATEWAY_NAME": f"gateway-{number}"} | _unix_socket(data, number),
        )
        for number, port in enumerate(ports.gateways, start=1)
    ]
    pushing, prepare_push = _push_settings(data, ports, given)
    return [
        _Service("auth-1", "synctalk_auth", ports.auth, shared),
        *(_Service(f"api-{n}", "synctalk_api", port, shared | files) for n, port in enumerate(ports.apis, start=1)),
        *gateways,
        _Service("presence-1", "synctalk_presence", ports.presence, shared),
        _Service("fcm", "synctalk_fcm", ports.fcm, pushing, prepare=prepare_push),
        _Service("notifier-1", "synctalk_notifier", ports.notifier, shared | pushing, prepare=prepare_push),
    ]


def _unix_socket(data: Path, number: int) -> dict[str, str]:
    path = edge.unix_socket(data / f"gateway-{number}")
    return {"HTTP_UNIX_SOCKET": str(path)} if path else {}


def _push_settings(data: Path, ports: Ports, given: Mapping[str, str]) -> tuple[dict[str, str], Callable[[], None]]:
    """Real Firebase where its credentials were given, else the stand-in."""
    if given.get("SYNCTALK_FCM_CREDENTIALS_FILE"):
        return {}, lambda: None
    account, vapid_key = push.credentials_file(data), push.vapid_key_file(data)
    url = f"http://127.0.0.1:{ports.fcm}"
    settings = {
        "FCM_CREDENTIALS_FILE": str(account),
        "FCM_URL": url,
        "VAPID_KEY_FILE": str(vapid_key),
        "WEB_PUSH_STAND_IN_URL": url,
    }
    return settings, lambda: push.write_credentials(account, vapid_key, url)


LOOPBACK = "127.0.0.0/8,::1/128"
"""Where the webhooks of a developer's backend are, and the pages that a developer tries link previews with."""


def _spec(
    service: _Service, data: Path, ports: Ports, credentials: Credentials, given: Mapping[str, str]
) -> ProcessSpec:
    directory = data / service.name
    secrets = directory / "secrets"
    name = _service_name(service.name)
    ready = SERVICES[name].ready
    defaults = {f"SYNCTALK_{name}": value for name, value in limits_by_address(name).items()}
    if name == "notifier":
        defaults |= dict.fromkeys(
            ("SYNCTALK_WEBHOOK_PRIVATE_NETWORKS", "SYNCTALK_LINK_PREVIEW_PRIVATE_NETWORKS"), LOOPBACK
        )
    fixed = {f"SYNCTALK_{name}": value for name, value in service.settings.items()}
    environment = {
        **defaults,
        **given,
        **fixed,
        "SYNCTALK_HTTP_HOST": "127.0.0.1",
        "SYNCTALK_HTTP_PORT": str(service.port),
        "SYNCTALK_INSTANCE": service.name,
        "SYNCTALK_SECRETS_DIR": str(secrets),
        "PYTHONUNBUFFERED": "1",
        # Compiled modules are kept, whatever the shell says: without them each start compiles some 1,500 files.
        "PYTHONDONTWRITEBYTECODE": "",
    }
    return ProcessSpec(
        name=service.name,
        port=service.port,
        command=(sys.executable, "-m", service.module),
        is_ready=lambda: probe.is_whole(f"http://127.0.0.1:{service.port}{ready}"),
        directory=directory,
        environment=environment,
        folders=(directory, secrets),
        files=_secret_files(secrets, name, ports, credentials),
        prepare=service.prepare,
        stop_wait_s=20,
    )


def _secret_files(folder: Path, service: str, ports: Ports, credentials: Credentials) -> dict[Path, str]:
    files = {f"synctalk_internal_secret_{name}": credentials.internal_secrets[name] for name in callers_of(service)}
    if service in ACCESS:
        user, redis, rabbitmq = user_name(service), credentials.redis_accounts, credentials.rabbitmq_accounts
        files |= {
            "synctalk_internal_secret": credentials.internal_secrets[service],
            "synctalk_redis_url": redis_url(ports.redis, redis[service], user=user),
            "synctalk_limits_redis_url": redis_url(ports.redis, redis[service], 1, user=user),
            "synctalk_rabbitmq_url": rabbitmq_url(ports.rabbitmq, rabbitmq[service], user),
        }
    if service in WITH_DATABASE:
        role = f"synctalk_{service}"
        files["synctalk_database_url"] = postgres_url(ports.postgres, role, role, credentials.databases[service])
    if service == "auth":
        files["synctalk_signing_key_passphrase"] = credentials.signing_key_passphrase
    return {folder / name: text for name, text in files.items()}


def _service_name(process: str) -> str:
    """`gateway` of `gateway-2`."""
    return process.rpartition("-")[0] or process
