"""auth as a real server on real PostgreSQL, Redis and RabbitMQ."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any

import aiohttp
import pytest_asyncio
from synctalk_auth.main import build
from synctalk_auth.settings import Settings
from synctalk_runtime.migrate import migrate
from synctalk_testkit.eventually import eventually
from synctalk_testkit.plugin import Fresh, FreshDatabase
from synctalk_testkit.service import SECRET, serve

from services.auth.tests.harness import Auth, Start, serve_api


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def start_auth(fresh_database: FreshDatabase, fresh_vhost: Fresh, redis_url: str) -> Start:
    """Starts another auth: `async with start_auth(login_per_address_burst=3) as auth:`."""

    @asynccontextmanager
    async def start(beside: Auth | None = None, *, ready: bool = True, **settings: Any) -> AsyncIterator[Auth]:
        database_url = beside.database_url if beside else await fresh_database("auth")
        await migrate(database_url, files("synctalk_auth") / "migrations")
        async with serve_api() as api:
            given: dict[str, Any] = {
                "instance": "auth-1",
                "internal_secret": SECRET,
                "redis_url": redis_url,
                "rabbitmq_url": beside.settings.rabbitmq_url if beside else await fresh_vhost(),
                "database_url": database_url,
                "database_pool_size": 5,
                "api_url": api.url,
                "register_per_address_burst": 10_000,
                "register_per_address_per_s": 10_000,
                "login_per_address_burst": 10_000,
                "login_per_address_per_s": 10_000,
                "exchange_per_address_burst": 10_000,
                "exchange_per_address_per_s": 10_000,
                "oidc_per_address_burst": 10_000,
                "oidc_per_address_per_s": 10_000,
                "guests_per_address_burst": 10_000,
                "guests_per_address_per_s": 10_000,
                "shutdown_timeout_s": 2,
            }
            chosen = Settings.model_validate(given | settings)
            app = build(chosen)
            async with serve(app) as url, aiohttp.ClientSession() as http:
                auth = Auth(url, http, app.state.services, database_url, chosen, api)
                if ready:
                    await eventually(auth.is_ready, timeout=20, message="auth did not become ready")
                yield auth

    return start


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def auth(start_auth: Start) -> AsyncIterator[Auth]:
    """One auth for the module; tests register their own users."""
    async with start_auth() as running:
        yield running
