"""Virtual hosts for tests: each is a RabbitMQ of its own as far as queues and exchanges go."""

import secrets
from urllib.parse import urlsplit

import aiohttp

from synctalk_testkit.backing import Backing


async def create_vhost(backing: Backing) -> str:
    """A new empty virtual host; its AMQP url."""
    name = f"test-{secrets.token_hex(6)}"
    user = urlsplit(backing.rabbitmq_url).username
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    async with management(backing) as session:
        await done(session.put(f"/api/vhosts/{name}", json={}))
        await done(session.put(f"/api/permissions/{name}/{user}", json=everything))
    return f"{backing.rabbitmq_url}/{name}"


async def delete_vhost(backing: Backing, url: str) -> None:
    async with management(backing) as session:
        await done(session.delete(f"/api/vhosts/{urlsplit(url).path.lstrip('/')}"))


def management(backing: Backing) -> aiohttp.ClientSession:
    address = urlsplit(backing.rabbitmq_url)
    return aiohttp.ClientSession(
        backing.rabbitmq_management_url,
        headers={"Authorization": aiohttp.encode_basic_auth(address.username or "", address.password or "")},
        timeout=aiohttp.ClientTimeout(total=15),
    )


async def done(request: "aiohttp.client._RequestContextManager") -> None:
    async with request as answer:
        answer.raise_for_status()
