"""A running notifier on real PostgreSQL, Redis and RabbitMQ."""

from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest_asyncio
from redis.asyncio import Redis
from synctalk_fcm.credentials import write_credentials, write_vapid_key
from synctalk_fcm.main import build as build_fcm
from synctalk_fcm.settings import FcmSettings
from synctalk_notifier.main import build
from synctalk_notifier.settings import Settings
from synctalk_runtime.bus import Bus
from synctalk_runtime.migrate import migrate
from synctalk_runtime.postgres import Postgres
from synctalk_testkit.eventually import eventually
from synctalk_testkit.service import SECRET, is_connected, serve, serve_auth, service_client
from synctalk_testkit.tokens import TokenMaker

from services.notifier.tests.harness import Rig, Upstreams


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database(fresh_database: Callable[[str], Awaitable[str]]) -> dict[str, Any]:
    """The settings of a database with the notifier's tables."""
    url = await fresh_database("notifier")
    await migrate(url, files("synctalk_notifier") / "migrations")
    return {"database_url": url}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def rig(
    database: dict[str, Any],
    fresh_vhost: Callable[[], Awaitable[str]],
    redis_url: str,
    token_maker: TokenMaker,
    tmp_path_factory: Any,
) -> AsyncIterator[Rig]:
    """One for each module: between modules the loop may stand still for longer than RabbitMQ waits for a heartbeat."""
    upstreams = Upstreams()
    rabbitmq_url = await fresh_vhost()
    credentials: Path = tmp_path_factory.mktemp("fcm") / "account.json"
    vapid_key = credentials.with_name("vapid.pem")
    write_vapid_key(vapid_key)
    fcm = build_fcm(FcmSettings(fcm_credentials_file=credentials, fcm_slow_s=2))
    async with serve_auth(token_maker) as auth, serve(upstreams.app()) as upstreams_url, serve(fcm) as fcm_url:
        write_credentials(credentials, fcm_url)
        settings = Settings(
            instance="notifier-1",
            internal_secret=SECRET,
            **database,
            rabbitmq_url=rabbitmq_url,
            redis_url=redis_url,
            auth_url=auth.url,
            api_url=upstreams_url,
            presence_url=upstreams_url,
            fcm_credentials_file=credentials,
            fcm_url=fcm_url,
            vapid_key_file=vapid_key,
            web_push_stand_in_url=fcm_url,
            push_delay_s=0.1,
            push_interval_s=0.02,
            push_backoff_s=0.05,
            devices_per_user=3,
            webhook_private_networks="127.0.0.0/8",
            webhook_timeout_s=1.0,
            link_preview_private_networks="127.0.0.0/8",
            webhook_retries_s=[0.1] * 10,
            webhooks_max=20,
            server_events_burst=1000,
        )
        app = build(settings)
        bus = Bus(settings.rabbitmq_url, "tests")
        postgres = Postgres(settings)
        async with serve(app) as url, service_client(url) as service:
            await postgres.open()
            await bus.start()
            await eventually(service.is_ready, timeout=30)
            await eventually(lambda: is_connected(bus))
            redis = Redis.from_url(redis_url)
            yield Rig(app, settings, postgres, service, bus, fcm, upstreams, token_maker, redis, auth)
            await redis.aclose()
            await bus.stop()
            await postgres.close()
