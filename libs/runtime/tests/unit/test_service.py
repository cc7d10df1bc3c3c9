"""What a service opens and runs starts in the sequence of registration, and stops in the reverse one."""

from typing import Any, ClassVar

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from synctalk_runtime.service import Service
from synctalk_runtime.settings import BaseServiceSettings


class Settings(BaseServiceSettings):
    SERVICE: ClassVar[str] = "example"


class Resource:
    def __init__(self, name: str, log: list[str], fails: bool = False) -> None:
        self._name = name
        self._log = log
        self._fails = fails

    async def start(self) -> None:
        if self._fails:
            raise OSError
        self._log.append(f"{self._name} started")

    async def stop(self) -> None:
        self._log.append(f"{self._name} stopped")

    async def open(self) -> None:
        self._log.append(f"{self._name} opened")

    async def close(self) -> None:
        self._log.append(f"{self._name} closed")


@pytest.fixture
def service() -> Service:
    return Service(
        Settings(
            internal_secret=SecretStr("a-secret-of-tests"),
            redis_url=SecretStr("redis://127.0.0.1:1"),
            rabbitmq_url=SecretStr("amqp://127.0.0.1:1"),
        )
    )


def _app(service: Service) -> FastAPI:
    tokens: Any = None
    return service.app([], tokens)


async def test_app__lives__stops_in_the_reverse_sequence(service: Service) -> None:
    log: list[str] = []
    service.closing(Resource("client", log))
    service.opening(Resource("pool", log))
    service.running(Resource("loop", log))
    app = _app(service)

    async with app.router.lifespan_context(app):
        assert log == ["pool opened", "loop started"]

    assert log[2:] == ["loop stopped", "pool closed", "client closed"]
    assert service.health.draining


async def test_app__a_start_fails__closes_what_was_opened(service: Service) -> None:
    log: list[str] = []
    service.opening(Resource("pool", log))
    service.running(Resource("loop", log, fails=True))
    app = _app(service)

    with pytest.raises(OSError):
        async with app.router.lifespan_context(app):
            pass

    assert log == ["pool opened", "pool closed"]


async def test_verify_tokens__nothing_was_read__is_not_ready(service: Service) -> None:
    service.verify_tokens()
    _app(service)

    report = await service.health.report()

    assert not report.ready
    assert set(report.checks) == {"rabbitmq", "keys", "revocations"}
