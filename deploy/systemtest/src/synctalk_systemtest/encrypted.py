"""The whole system with TLS between the services and their backing servers, by a private authority.

The processes are those of `make up`. The servers show a certificate for another name than their address, and PostgreSQL
takes no service without TLS; the services have their own accounts, trust the authority, and nothing else.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from synctalk_backing.postgres import create_databases
from synctalk_backing.process import ProcessSpec, write_files
from synctalk_backing.programs import backing_programs, nginx_program
from synctalk_local.commands import web
from synctalk_local.ports import ports_for
from synctalk_local.processes import services
from synctalk_local.stack import (
    CHECKOUT,
    Stack,
    backing_specs,
    edge_spec,
    service_specs,
    stack_credentials,
)
from synctalk_testkit.authority import Authority, Certificate
from synctalk_testkit.eventually import eventually_blocking
from synctalk_testkit.local import running
from synctalk_testkit.ports import free_ports

from synctalk_systemtest.ports import free_edge_port

SERVER_NAME = "backing.internal"
READY_TIMEOUT_S = 90


@contextmanager
def encrypted_stack() -> Iterator[Stack]:
    """Run it; everything goes afterwards."""
    with tempfile.TemporaryDirectory(prefix="synctalk-stack-") as name, ExitStack() as processes:
        folder = Path(name)
        folder.chmod(0o711)  # the account that runs PostgreSQL passes through
        stack = Stack(CHECKOUT, folder / "data", ports_for(free_edge_port()))
        credentials, programs = stack_credentials(stack), backing_programs()
        stack.logs.mkdir()
        authority = Authority(folder / "authority")
        redis_port, rabbitmq_port = free_ports(2)
        rabbitmq, postgres, redis = backing_specs(stack, programs, credentials)
        shown = authority.sign(SERVER_NAME)
        servers = [
            _rabbitmq(rabbitmq, rabbitmq_port, shown),
            _postgres(postgres, shown),
            _redis(redis, redis_port, shown),
        ]
        _start(processes, servers, stack.logs)
        script, scratch = stack.checkout / "deploy/postgres/init.sql", stack.data / "databases"
        admin = credentials.postgres_admin
        create_databases(script, postgres.port, admin, credentials.databases, programs.postgres, scratch)
        moved = {f":{stack.ports.redis}/": f":{redis_port}/", f":{stack.ports.rabbitmq}/": f":{rabbitmq_port}/"}
        own = [_trusting(spec, authority.ca_file, moved) for spec in service_specs(stack, credentials)]
        for spec in filter(services.migrates, own):
            _migrate(spec)
        _start(processes, own, stack.logs)
        _start(processes, [edge_spec(stack, nginx_program(), web.web_root(stack.checkout))], stack.logs)
        yield stack


def _start(processes: ExitStack, specs: Sequence[ProcessSpec], logs: Path) -> None:
    for spec in specs:
        processes.enter_context(running(spec, logs))
    for spec in specs:
        log = logs / f"{spec.name}.log"
        message = f"{spec.name} did not become ready:\n{log.read_text()[-3000:]}"
        eventually_blocking(spec.is_ready, READY_TIMEOUT_S, message=message)


def _migrate(spec: ProcessSpec) -> None:
    write_files(spec)
    spec.prepare()
    environment = os.environ | dict(spec.environment)
    subprocess.run(services.migrate_command(spec), env=environment, cwd=spec.directory, check=True)


def _redis(spec: ProcessSpec, port: int, shown: Certificate) -> ProcessSpec:
    options = f"tls-port {port}\ntls-cert-file {shown.certificate}\ntls-key-file {shown.key}\ntls-auth-clients no\n"
    return _configured(spec, spec.directory / "redis.conf", options)


def _rabbitmq(spec: ProcessSpec, port: int, shown: Certificate) -> ProcessSpec:
    options = (
        f"listeners.ssl.default = 127.0.0.1:{port}\nssl_options.certfile = {shown.certificate}\n"
        f"ssl_options.keyfile = {shown.key}\n"
    )
    return _configured(spec, spec.directory / "rabbitmq.conf", options)


def _postgres(spec: ProcessSpec, shown: Certificate) -> ProcessSpec:
    certificate, key = spec.directory / "server.pem", spec.directory / "server.key"
    options = f"ssl = on\nssl_cert_file = '{certificate}'\nssl_key_file = '{key}'\n"
    files = {certificate: shown.certificate.read_text(), key: shown.key.read_text()}
    administrator = "host all postgres 127.0.0.1/32 scram-sha-256\n"  # whom the probe asks for
    files[spec.directory / "pg_hba.conf"] = f"{administrator}hostssl all all 127.0.0.1/32 scram-sha-256\n"
    files = {**spec.files, **files}
    return _configured(replace(spec, files=files), spec.directory / "postgresql.conf", options)


def _configured(spec: ProcessSpec, config: Path, options: str) -> ProcessSpec:
    return replace(spec, files={**spec.files, config: spec.files[config] + options})


def _trusting(spec: ProcessSpec, ca_file: Path, moved: dict[str, str]) -> ProcessSpec:
    files = {path: _encrypted(path.name, text, moved) for path, text in spec.files.items()}
    return replace(spec, files=files, environment={**spec.environment, "SYNCTALK_TLS_CA_FILE": str(ca_file)})


def _encrypted(name: str, url: str, moved: dict[str, str]) -> str:
    """Return the address with TLS; another secret as it is."""
    if not name.endswith("_url"):
        return url
    for before, after in moved.items():
        url = url.replace(before, after)
    url = url.replace("redis://", "rediss://").replace("amqp://", "amqps://")
    mode = "sslmode=verify-full&" if url.startswith("postgresql://") else ""
    return f"{url}?{mode}server_name={SERVER_NAME}"
