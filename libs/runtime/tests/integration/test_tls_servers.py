"""Redis, RabbitMQ and PostgreSQL with TLS of their own, and all that connects to them: the name in the address counts,
an expired certificate, one of another name or authority is refused and logged, and a client shows its own."""

import dataclasses
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import asyncpg
import pytest
import structlog
from aio_pika.exceptions import AMQPError
from pydantic import SecretStr
from synctalk_backing.postgres import postgres_spec, postgres_url
from synctalk_backing.probe import port_is_taken
from synctalk_backing.programs import backing_programs
from synctalk_backing.rabbitmq import RabbitPorts, rabbitmq_spec, rabbitmq_url
from synctalk_contracts.accounts import ACCESS, ADMINISTRATOR, rabbitmq_definitions, redis_user, user_name
from synctalk_runtime import redis as runtime_redis
from synctalk_runtime.bus import Bus
from synctalk_runtime.dead_letters import dead_letters
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.migrate import migrate
from synctalk_runtime.postgres import Postgres
from synctalk_runtime.redis_pipeline import RedisPipeline
from synctalk_testkit.authority import Authority, Certificate
from synctalk_testkit.eventually import eventually
from synctalk_testkit.local import running
from synctalk_testkit.own_redis import own_redis
from synctalk_testkit.ports import free_port, free_ports

PASSWORD = "violet-anvil"
NAME = "backing.internal"
"""In the certificates; the servers are reached at 127.0.0.1."""
REFUSALS = {
    "expired": "certificate has expired",
    "name": "IP address mismatch, certificate is not valid for '127.0.0.1'.",
    "authority": "self-signed certificate in certificate chain",
}


@dataclass(frozen=True)
class Server:
    """One server of each kind, which all show the same certificate and ask for one of the client's."""

    redis: str
    rabbitmq: str
    postgres: str
    ours: Authority
    other: Authority
    client: Certificate

    def address(self, kind: str, **without: Any) -> str:
        """Return the address with the client's certificate and the expected name, as its driver names them."""
        url = {"redis": self.redis, "rabbitmq": self.rabbitmq, "postgres": self.postgres}[kind]
        certificate, key = {
            "redis": ("ssl_certfile", "ssl_keyfile"),
            "rabbitmq": ("certfile", "keyfile"),
            "postgres": ("sslcert", "sslkey"),
        }[kind]
        given = {"server_name": NAME, certificate: self.client.certificate, key: self.client.key} | without
        query = urlencode({name: value for name, value in given.items() if value is not None}, safe="/")
        return f"{url}{'&' if '?' in url else '?'}{query}"


@asynccontextmanager
async def _servers(folder: Path, *, expired: bool = False) -> AsyncIterator[Server]:
    ours, other = Authority(folder / "ours"), Authority(folder / "other")
    shown, client = ours.sign(NAME, expired=expired), ours.sign("client.internal")
    async with AsyncExitStack() as stack:
        yield Server(
            redis=await stack.enter_async_context(_redis(ours, shown)),
            rabbitmq=await stack.enter_async_context(_rabbitmq(folder, ours, shown)),
            postgres=await stack.enter_async_context(_postgres(folder, ours, shown)),
            ours=ours,
            other=other,
            client=client,
        )


@asynccontextmanager
async def _redis(ours: Authority, shown: Certificate) -> AsyncIterator[str]:
    port = free_port()
    files = ("--tls-cert-file", str(shown.certificate), "--tls-key-file", str(shown.key))
    asked = ("--tls-ca-cert-file", str(ours.ca_file), "--tls-auth-clients", "yes")
    async with own_redis("--tls-port", str(port), *files, *asked) as server:
        _, *account = redis_user("auth", [PASSWORD]).split()
        await server.command("ACL", "SETUSER", *account)
        yield f"rediss://{user_name('auth')}:{PASSWORD}@127.0.0.1:{port}/0"


@asynccontextmanager
async def _rabbitmq(folder: Path, ours: Authority, shown: Certificate) -> AsyncIterator[str]:
    port, secure, epmd, distribution = free_ports(4)
    passwords = dict.fromkeys((*ACCESS, ADMINISTRATOR), PASSWORD)
    definitions = json.dumps(rabbitmq_definitions(passwords))
    plain = rabbitmq_spec(
        folder / "rabbitmq", RabbitPorts(port, epmd, distribution), PASSWORD, backing_programs().rabbitmq, definitions
    )
    config = folder / "rabbitmq/rabbitmq.conf"
    options = (
        f"listeners.ssl.default = 127.0.0.1:{secure}\nssl_options.cacertfile = {ours.ca_file}\n"
        f"ssl_options.certfile = {shown.certificate}\nssl_options.keyfile = {shown.key}\n"
        "ssl_options.verify = verify_peer\nssl_options.fail_if_no_peer_cert = true\n"
    )
    spec = dataclasses.replace(plain, files={**plain.files, config: plain.files[config] + options})
    with running(spec, folder):
        await eventually(spec.is_ready, 90)
        yield rabbitmq_url(secure, PASSWORD, user_name("auth")).replace("amqp:", "amqps:")


@asynccontextmanager
async def _postgres(folder: Path, ours: Authority, shown: Certificate) -> AsyncIterator[str]:
    plain = postgres_spec(folder / "postgres", free_port(), PASSWORD, backing_programs().postgres, durable=False)
    files = {name: plain.directory / name for name in ("server.pem", "server.key", "ca.pem")}
    options = {"ssl": "on", "ssl_cert_file": files["server.pem"], "ssl_key_file": files["server.key"]}
    options["ssl_ca_file"] = files["ca.pem"]
    hba = plain.directory / "pg_hba.conf"
    spec = dataclasses.replace(
        plain,
        command=(*plain.command, *(part for name, value in options.items() for part in ("-c", f"{name}={value}"))),
        files={
            **plain.files,
            hba: "hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca\n",
            files["server.pem"]: shown.certificate.read_text(),
            files["server.key"]: shown.key.read_text(),
            files["ca.pem"]: ours.ca_file.read_text(),
        },
    )
    with running(spec, folder):
        await eventually(lambda: port_is_taken(spec.port), 60)
        yield postgres_url(spec.port, "postgres", "postgres", PASSWORD) + "?sslmode=verify-full"


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    folder = tmp_path_factory.mktemp("servers")
    folder.chmod(0o755)
    async with _servers(folder) as found:
        yield found


@pytest.fixture(scope="module")
async def expired_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    folder = tmp_path_factory.mktemp("expired")
    folder.chmod(0o755)
    async with _servers(folder, expired=True) as found:
        yield found


Asks = Callable[[Any, str, Path | None], Awaitable[None]]
"""Connects, and raises when it cannot."""


async def _pipeline(_: Any, url: str, ca_file: Path | None) -> None:
    pipeline = RedisPipeline(SecretStr(url), ca_file)
    try:
        assert await pipeline.call("PING") == b"PONG"
    finally:
        await pipeline.close()


async def _client(_: Any, url: str, ca_file: Path | None) -> None:
    client: Any = runtime_redis.connect(SecretStr(url), ca_file)
    try:
        with runtime_redis.answering():
            assert await client.ping()
    finally:
        await client.aclose()


async def _bus(_: Any, url: str, ca_file: Path | None) -> None:
    bus = Bus(SecretStr(url), "test", ca_file)
    await bus.start()
    try:
        with structlog.testing.capture_logs() as logs:
            await eventually(lambda: bus.connected or any(line["event"] == "bus.lost" for line in logs), 30)
        for line in logs:
            structlog.get_logger().warning(line["event"], **{k: v for k, v in line.items() if k == "certificate"})
        if not bus.connected:
            raise UnavailableError
    finally:
        await bus.stop()


async def _letters(_: Any, url: str, ca_file: Path | None) -> None:
    async with dead_letters(SecretStr(url), (), ca_file) as dead:
        assert await dead.look() == []


async def _pool(make_settings: Any, url: str, ca_file: Path | None) -> None:
    postgres = Postgres(make_settings(database_url=url, tls_ca_file=ca_file))
    await postgres.open()
    try:
        await postgres.check()
    finally:
        await postgres.close()


async def _migration(_: Any, url: str, ca_file: Path | None) -> None:
    folder = ca_file.parent / "migrations" if ca_file is not None else Path()
    folder.mkdir(exist_ok=True)
    (folder / "0001_nothing.sql").write_text("select 1")
    await migrate(url, folder, ca_file)


ASKS = {
    "pipeline": ("redis", _pipeline),
    "client": ("redis", _client),
    "bus": ("rabbitmq", _bus),
    "dead-letters": ("rabbitmq", _letters),
    "pool": ("postgres", _pool),
    "migrations": ("postgres", _migration),
}
LOGGED = ("pipeline", "bus", "pool")
"""Which say by themselves why; the others raise the error to whoever called."""
WITH_ALL = pytest.mark.parametrize("name", ASKS)


@WITH_ALL
async def test_server__by_its_name_and_with_a_certificate__is_reached(
    server: Server, make_settings: Any, name: str
) -> None:
    kind, asks = ASKS[name]

    await asks(make_settings, server.address(kind), server.ours.ca_file)


@pytest.mark.parametrize("name", ["pipeline", "client", "dead-letters", "pool", "migrations"])
async def test_server__without_a_certificate_of_the_client__refuses(
    server: Server, make_settings: Any, name: str
) -> None:
    kind, asks = ASKS[name]
    none = dict.fromkeys(("ssl_certfile", "ssl_keyfile", "certfile", "keyfile", "sslcert", "sslkey"))

    with pytest.raises((UnavailableError, OSError, AMQPError, RuntimeError, asyncpg.PostgresError)):
        await asks(make_settings, server.address(kind, **none), server.ours.ca_file)


@WITH_ALL
@pytest.mark.parametrize("wrong", REFUSALS)
async def test_server__wrong_certificate__is_refused_and_the_log_says_why(
    server: Server, expired_server: Server, make_settings: Any, name: str, wrong: str
) -> None:
    kind, asks = ASKS[name]
    asked = expired_server if wrong == "expired" else server
    url = asked.address(kind, server_name=None) if wrong == "name" else asked.address(kind)
    ca_file = asked.other.ca_file if wrong == "authority" else asked.ours.ca_file

    with structlog.testing.capture_logs() as logs, pytest.raises((UnavailableError, OSError, AMQPError)):
        await asks(make_settings, url, ca_file)
    if name in LOGGED:
        assert REFUSALS[wrong] in {line.get("certificate") for line in logs}
