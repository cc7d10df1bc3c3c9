"""The services' accounts for tests, with their rights of production: at one virtual host and at one Redis server."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import redis.asyncio
from synctalk_contracts import accounts

from synctalk_testkit.backing import Backing
from synctalk_testkit.vhosts import done, management


@dataclass(frozen=True)
class ServiceAccount:
    redis_url: str
    rabbitmq_url: str


async def create_accounts(backing: Backing, redis_url: str, vhost_url: str) -> Mapping[str, ServiceAccount]:
    """Make an account of each service; their addresses, by service."""
    mark = secrets.token_hex(4)
    passwords = {service: secrets.token_hex(8) for service in accounts.ACCESS}
    await _create_at_redis(redis_url, passwords)
    await _create_at_rabbitmq(backing, vhost_url, passwords, mark)
    return {
        service: ServiceAccount(
            _signed_in(redis_url, accounts.user_name(service), password),
            _signed_in(vhost_url, f"{accounts.user_name(service)}_{mark}", password),
        )
        for service, password in passwords.items()
    }


async def _create_at_redis(url: str, passwords: Mapping[str, str]) -> None:
    async with redis.asyncio.from_url(url) as client:
        for service, password in passwords.items():
            _, *arguments = accounts.redis_user(service, [password]).split()
            await client.execute_command("ACL", "SETUSER", *arguments)  # type: ignore[no-untyped-call]


async def _create_at_rabbitmq(backing: Backing, vhost_url: str, passwords: Mapping[str, str], mark: str) -> None:
    """Users are of the whole broker: `mark` keeps those of parallel tests apart."""
    vhost = urlsplit(vhost_url).path.lstrip("/")
    given = accounts.rabbitmq_definitions({accounts.ADMINISTRATOR: "", **passwords}, vhost)
    async with management(backing) as session:
        for user in given["users"][1:]:
            body = {"password": user["password"], "tags": ""}
            await done(session.put(f"/api/users/{user['name']}_{mark}", json=body))
        for path in ("permissions", "topic_permissions"):
            for one in given[path]:
                if one["user"] != accounts.ADMINISTRATOR:
                    address = f"/api/{path.replace('_', '-')}/{vhost}/{one['user']}_{mark}"
                    await done(session.put(address, json=one))


def _signed_in(url: str, user: str, password: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{user}:{password}@{parts.hostname}:{parts.port}"))
