"""TLS to Redis, RabbitMQ and PostgreSQL with a private authority: trusted by the setting or by the address, and neither
another authority's certificate nor one for another host is taken."""

import dataclasses
import secrets
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aio_pika.exceptions import AMQPError
from pydantic import SecretStr
from synctalk_backing.postgres import postgres_spec, postgres_url
from synctalk_backing.programs import backing_programs
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
from synctalk_testkit.own_redis import PASSWORD, own_redis
from synctalk_testkit.ports import free_port
from synctalk_testkit.relay import relay_to

HERE, ELSEWHERE = "127.0.0.1", "elsewhere.example"


@dataclass(frozen=True)
class Authorities:
    ours: Authority
    other: Authority


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> Authorities:
    folder = tmp_path_factory.mktemp("authorities")
    return Authorities(Authority(folder / "ours"), Authority(folder / "other"))


REFUSED = pytest.mark.parametrize(
    ("host", "trusted"), [(ELSEWHERE, "ours"), (HERE, "other"), (HERE, None)], ids=["name", "authority", "system"]
)


def _ca_file(authorities: Authorities, trusted: str | None) -> Path | None:
    return getattr(authorities, trusted).ca_file if trusted else None


# ── Redis ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def _redis(certificate: Certificate) -> AsyncIterator[str]:
    port = free_port()
    files = ("--tls-cert-file", str(certificate.certificate), "--tls-key-file", str(certificate.key))
    async with own_redis("--tls-port", str(port), *files, "--tls-auth-clients", "no"):
        yield f"rediss://:{PASSWORD}@127.0.0.1:{port}/0"


async def _line_answers(url: str, ca_file: Path | None) -> bool:
    line = RedisPipeline(SecretStr(url), ca_file)
    try:
        return bool(await line.call("PING") == b"PONG")
    except UnavailableError:
        return False
    finally:
        await line.close()


async def _client_answers(url: str, ca_file: Path | None) -> bool:
    client: Any = runtime_redis.connect(SecretStr(url), ca_file)
    try:
        with runtime_redis.answering():
            return bool(await client.ping())
    except UnavailableError:
        return False
    finally:
        await client.aclose()


WITH_REDIS = pytest.mark.parametrize("answers", [_line_answers, _client_answers])
Answers = Callable[[str, Path | None], Awaitable[bool]]


@WITH_REDIS
async def test_redis__our_authority__is_trusted_by_setting_or_address(
    authorities: Authorities, answers: Answers
) -> None:
    async with _redis(authorities.ours.sign(HERE)) as url:
        ours, other = authorities.ours.ca_file, authorities.other.ca_file
        assert await answers(url, ours)
        assert await answers(f"{url}?ssl_ca_certs={ours}", None)
        assert await answers(f"{url}?ssl_ca_certs={ours}", other)
        assert await answers(f"{url}?ssl_cert_reqs=none", None)


@WITH_REDIS
@REFUSED
async def test_redis__another_name_or_authority__is_refused(
    authorities: Authorities, answers: Answers, host: str, trusted: str | None
) -> None:
    async with _redis(authorities.ours.sign(host)) as url:
        assert not await answers(url, _ca_file(authorities, trusted))


# ── RabbitMQ ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def _rabbitmq(url: str, certificate: Certificate) -> AsyncIterator[str]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.certificate, certificate.key)
    async with relay_to(url, context) as relay:
        yield relay.url.replace("amqp://", "amqps://")


async def test_rabbitmq__our_authority__is_trusted_by_setting_or_address(
    authorities: Authorities, rabbitmq_url: str
) -> None:
    async with _rabbitmq(rabbitmq_url, authorities.ours.sign(HERE)) as url:
        for address, ca_file in (
            (url, authorities.ours.ca_file),
            (f"{url}?cafile={authorities.ours.ca_file}", authorities.other.ca_file),
        ):
            bus = Bus(SecretStr(address), "test", ca_file)
            await bus.start()
            await eventually(lambda bus=bus: _stands(bus))  # type: ignore[misc]
            await bus.stop()


async def _stands(bus: Bus) -> bool:
    try:
        await bus.check()
    except ConnectionError:
        return False
    return True


@REFUSED
async def test_rabbitmq__another_name_or_authority__is_refused(
    authorities: Authorities, rabbitmq_url: str, host: str, trusted: str | None
) -> None:
    async with _rabbitmq(rabbitmq_url, authorities.ours.sign(host)) as url:
        with pytest.raises((AMQPError, OSError)):
            async with dead_letters(SecretStr(url), (), _ca_file(authorities, trusted)):
                pass


# ── PostgreSQL ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def postgres_port(authorities: Authorities, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[int]:
    """A server that shows a certificate for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("postgres")
    certificate = authorities.ours.sign(HERE)
    plain = postgres_spec(folder, free_port(), PASSWORD, backing_programs().postgres, durable=False)
    shown, key = plain.directory / "server.pem", plain.directory / "server.key"
    spec = dataclasses.replace(
        plain,
        command=(*plain.command, "-c", "ssl=on", "-c", f"ssl_cert_file={shown}", "-c", f"ssl_key_file={key}"),
        files={**plain.files, shown: certificate.certificate.read_text(), key: certificate.key.read_text()},
    )
    with running(spec, folder):
        await eventually(spec.is_ready, 60)
        yield spec.port


async def _postgres_answers(make_settings: Any, url: str, ca_file: Path | None) -> bool:
    postgres = Postgres(make_settings(database_url=url, tls_ca_file=ca_file))
    await postgres.open()
    try:
        await postgres.check()
    except UnavailableError:
        return False
    finally:
        await postgres.close()
    return True


async def test_postgres__our_authority__is_trusted_by_setting_or_address(
    authorities: Authorities, postgres_port: int, make_settings: Any
) -> None:
    url = postgres_url(postgres_port, "postgres", "postgres", PASSWORD) + "?sslmode=verify-full"
    ours, other = authorities.ours.ca_file, authorities.other.ca_file

    assert await _postgres_answers(make_settings, url, ours)
    assert await _postgres_answers(make_settings, f"{url}&sslrootcert={ours}", other)
    assert not await _postgres_answers(make_settings, url, other)


async def test_postgres__another_name__is_refused_where_the_name_is_verified(
    authorities: Authorities, postgres_port: int, make_settings: Any
) -> None:
    url = postgres_url(postgres_port, "postgres", "postgres", PASSWORD).replace("127.0.0.1", "localhost")
    ca_file = authorities.ours.ca_file

    assert await _postgres_answers(make_settings, f"{url}?sslmode=verify-ca", ca_file)
    assert not await _postgres_answers(make_settings, f"{url}?sslmode=verify-full", ca_file)


async def test_migrate__our_authority__is_trusted(authorities: Authorities, postgres_port: int, tmp_path: Path) -> None:
    url = postgres_url(postgres_port, "postgres", "postgres", PASSWORD) + "?sslmode=verify-full"
    table = f"t{secrets.token_hex(4)}"
    (tmp_path / "0001_table.sql").write_text(f"create table {table} (id int)")

    with pytest.raises(OSError):
        await migrate(url, tmp_path, authorities.other.ca_file)
    assert await migrate(url, tmp_path, authorities.ours.ca_file) == ["0001_table.sql"]
