"""The whole system over TLS to its backing servers, with a private authority and each service's own accounts."""

from collections.abc import Iterator

import pytest
import redis.asyncio
from synctalk_backing.redis import redis_url
from synctalk_contracts.accounts import ACCESS, user_name
from synctalk_local.stack import Stack, stack_credentials
from synctalk_systemtest.encrypted import encrypted_stack
from synctalk_testkit.clients import users_at


@pytest.fixture(scope="module")
def encrypted() -> Iterator[Stack]:
    with encrypted_stack() as stack:
        yield stack


async def test_message__over_encrypted_connections_and_own_accounts__reaches_the_other_user(encrypted: Stack) -> None:
    async with users_at(f"http://127.0.0.1:{encrypted.ports.edge}") as users:
        ada, bob = await users.register_all("Ada", "Bob")
        of_ada, of_bob = await ada.connect(), await bob.connect()
        group = (await ada.group_with(bob))["id"]
        sent = await of_ada.say(group, "hello")
        await of_bob.wait_for("message:new", lambda payload: payload["id"] == sent["id"])
        page = await bob.get(f"/v1/conversations/{group}/messages")
        assert [message["body"] for message in page["items"]] == ["hello"]


async def test_accounts__at_redis__are_the_services_own_and_refused_nothing(encrypted: Stack) -> None:
    url = redis_url(encrypted.ports.redis, stack_credentials(encrypted).redis)
    async with redis.asyncio.from_url(url) as client:
        connected = {each["user"] for each in await client.client_list()}
        others = {user_name(service) for service in ACCESS if service != "notifier"}  # which connects when it must
        assert connected - {user_name("notifier")} == {"default", *others}
        assert await client.acl_log() == []
