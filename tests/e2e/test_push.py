"""Pushes: whom they go to, a moment after the message, and what is taken back. Sent to the stand-in of the endpoint."""

import asyncio
import base64
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import User, Users
from synctalk_testkit.eventually import eventually

HOLD_S = 2.0
ARRIVES_WITHIN_S = HOLD_S + 6


@dataclass(frozen=True)
class Phone:
    """A device of the user, and what came to it."""

    owner: User
    token: str

    async def pushes(self, kind: str = "message") -> list[dict[str, Any]]:
        answer = await self.owner.get(f"/dev/push/messages?token={self.token}")
        items: list[dict[str, Any]] = answer["items"]
        return [item for item in items if data(item)["type"] == kind]

    async def gets(self, message: dict[str, Any], kind: str = "message", answered: int = 200) -> dict[str, Any]:
        """The push for this message, once the endpoint has answered so to it."""

        async def arrived() -> list[dict[str, Any]]:
            return [
                item
                for item in await self.pushes(kind)
                if data(item)["message_id"] == message["id"] and item["answered"] == answered
            ]

        found: list[dict[str, Any]] = await eventually(
            arrived, ARRIVES_WITHIN_S, message=f"no {kind} for {message['body']!r}"
        )
        return found[0]


def data(item: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = item["message"]["data"]
    return found


async def phone_of(user: User, beginning: str = "") -> Phone:
    token = f"{beginning}{secrets.token_hex(16)}"
    await user.put(f"/v1/devices/phone-{secrets.token_hex(4)}", {"platform": "android", "token": token})
    return Phone(user, token)


async def test_devices__are_ones_own(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    await ada.put("/v1/devices/tablet", {"platform": "ios", "token": secrets.token_hex(16)})

    listed = (await ada.get("/v1/devices"))["items"]
    assert [(item["device_id"], item["platform"], item.keys()) for item in listed] == [
        ("tablet", "ios", {"device_id", "platform", "created_at"})
    ]
    assert (await bob.get("/v1/devices"))["items"] == []
    await bob.request("DELETE", "/v1/devices/tablet")
    assert (await ada.get("/v1/devices"))["items"] == listed
    await ada.delete("/v1/devices/tablet")
    assert (await ada.get("/v1/devices"))["items"] == []


async def test_push__to_who_is_away__comes_after_the_hold_with_strings(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    one, two, own = await phone_of(bob), await phone_of(bob), await phone_of(ada)
    began = time.monotonic()
    message = await ada.say(direct, "are you there?")
    pushes = [await phone.gets(message) for phone in (one, two)]

    assert time.monotonic() - began > HOLD_S - 0.5
    for push in pushes:
        assert data(push) == {
            "type": "message",
            "conversation_id": direct,
            "message_id": message["id"],
            "seq": "1",
            "badge": "1",
            "sender_name": ada.tokens["user"]["display_name"],
            "title": "",
            "text": "are you there?",
            "thread_id": "",
        }
    assert await own.pushes() == []


async def test_push__in_a_group__says_what_the_recipient_allows(users: Users) -> None:
    ada, full, sender, none = await users.register_all("Ada", "Full", "Sender", "None")
    group = await ada.group_with(full, sender, none)
    phones = [await phone_of(user) for user in (full, sender, none)]
    for user, content in ((sender, "sender"), (none, "none")):
        await user.put("/v1/notification-settings", {"content": content})
    message = await ada.say(group["id"], "x" * 300)
    found = [data(await phone.gets(message)) for phone in phones]

    assert [(push["sender_name"], push["title"], push["text"]) for push in found] == [
        (ada.tokens["user"]["display_name"], group["title"], "x" * 200),
        (ada.tokens["user"]["display_name"], group["title"], ""),
        ("", "", ""),
    ]


async def test_push__deleted_within_the_wait__is_none(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    phone = await phone_of(bob)
    gone = await ada.say(direct, "a slip")
    await ada.delete(f"/v1/conversations/{direct}/messages/{gone['id']}")
    await phone.gets(await ada.say(direct, "hello"))

    assert [data(push)["seq"] for push in await phone.pushes()] == ["2"]
    assert await phone.pushes("retract") == []


async def test_team_presence_3__push__direct_message_at_level_mentions__comes_also_after_dnd(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct, group = (await ada.direct_with(bob))["id"], (await ada.group_with(bob))["id"]
    phone = await phone_of(bob)
    await bob.put("/v1/notification-settings", {"level": "mentions"})
    await bob.put("/v1/presence/me", {"status": "dnd"})
    at_dnd = await ada.say(direct, "not now")
    reader = await phone_of(ada)
    await reader.gets(await bob.say(direct, "hm"))
    await bob.put("/v1/presence/me", {"status": "online"})
    await ada.say(group, "to all")
    await phone.gets(await ada.say(direct, "now"))

    assert (at_dnd["seq"], [data(push)["text"] for push in await phone.pushes()]) == (1, ["now"])


async def test_push__to_a_browser__comes_encrypted_by_the_key_that_is_published(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    public_key = (await bob.get("/v1/push/vapid-key"))["public_key"]
    token, secret = secrets.token_hex(16), secrets.token_bytes(16)
    key = ec.generate_private_key(ec.SECP256R1())
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    keys = {"p256dh": _base64url(point), "auth": _base64url(secret)}
    subscription = {"endpoint": f"http://localhost/dev/webpush/{token}", "keys": keys}
    await bob.put("/v1/devices/laptop", {"platform": "web", "subscription": subscription})
    message = await ada.say(direct, "are you there?")

    async def arrived() -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await bob.get(f"/dev/push/messages?token={token}"))["items"]
        return items

    [item] = await eventually(arrived, ARRIVES_WITHIN_S)
    body = base64.b64decode(item["body"])
    read = json.loads(http_ece.decrypt(body, private_key=key, auth_secret=secret, version="aes128gcm"))
    assert (read["data"]["message_id"], read["notification"]["body"]) == (message["id"], "are you there?")
    assert item["headers"]["authorization"].endswith(f"k={public_key}")


async def test_team_presence_2__push__an_idle_laptop_got_it__comes_to_the_phone(users: Users) -> None:
    ada, bob, away = await users.register_all("Ada", "Bob", "Cleo")
    group = (await ada.group_with(bob, away))["id"]
    phone, other = await phone_of(await bob.login("phone")), await phone_of(away)
    laptop = await bob.connect()
    await laptop.done("activity", {"active": False})
    message = await ada.say(group, "are you there?")
    await laptop.done("receipt:delivered", {"conversation_id": group, "seq": message["seq"]})
    await phone.gets(message)

    await laptop.done("activity", {"active": True})
    await other.gets(await ada.say(group, "now you are"))
    assert [data(push)["message_id"] for push in await phone.pushes()] == [message["id"]]


async def test_push__read_elsewhere__is_retracted(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    phone = await phone_of(bob)
    message = await ada.say(direct, "look")
    await phone.gets(message)
    await bob.post(f"/v1/conversations/{direct}/read", {"seq": 1})
    retract = await phone.gets(message, "retract")

    assert (data(retract)["conversation_id"], data(retract)["badge"]) == (direct, "0")


async def test_push__who_is_online_delivered_muted_or_of_another_level__gets_none(users: Users) -> None:
    ada, online, reader, muted, none, mentions, all_of_it = await users.register_all(*"ABCDEFG")
    group = (await ada.group_with(online, reader, muted, none, mentions, all_of_it))["id"]
    phones = {user.id: await phone_of(user) for user in (online, reader, muted, none, mentions, all_of_it)}
    settings = f"/v1/notification-settings/{group}"
    assert await muted.get(settings) == {"level": "all", "muted_until": None}
    await muted.put(settings, {"level": "all", "muted_until": "2999-01-01T00:00:00.000Z"})
    await none.put(settings, {"level": "none"})
    await mentions.put(settings, {"level": "mentions"})
    await online.connect()
    plain = await ada.say(group, "to all")
    await reader.post(f"/v1/conversations/{group}/read", {"seq": 1})
    await phones[all_of_it.id].gets(plain)
    mentioning = await ada.say(group, f"@{mentions.username} look")
    await phones[mentions.id].gets(mentioning)
    await phones[reader.id].gets(mentioning)

    for user in (online, muted, none):
        assert await phones[user.id].pushes() == []
    assert [data(push)["seq"] for push in await phones[mentions.id].pushes()] == ["2"]
    assert [data(push)["seq"] for push in await phones[reader.id].pushes()] == ["2"]


async def test_push__device_of_an_ended_session__gets_none(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    other = await bob.login("other")
    gone, stays = await phone_of(bob), await phone_of(other)
    await bob.post("/v1/auth/logout")
    await eventually(lambda: _devices(other, 1))
    message = await ada.say(direct, "hello")
    await Phone(other, stays.token).gets(message)

    assert await Phone(other, gone.token).pushes() == []


async def test_push__endpoint_in_trouble__is_tried_again_or_the_token_forgotten(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    phones = {name: await phone_of(bob, f"{name}-") for name in ("unregistered", "unavailable", "quota", "slow")}
    message = await ada.say(direct, "hello")
    await asyncio.gather(
        phones["unregistered"].gets(message, answered=404),
        *(phones[name].gets(message) for name in ("unavailable", "quota")),
    )
    await eventually(lambda: _devices(bob, 3))
    await eventually(phones["slow"].pushes, ARRIVES_WITHIN_S + 5)

    assert [push["answered"] for push in await phones["unavailable"].pushes()] == [503, 503, 200]
    assert [push["answered"] for push in await phones["quota"].pushes()] == [429, 429, 200]
    assert [push["answered"] for push in await phones["unregistered"].pushes()] == [404]


async def test_push_page__is_served_and_the_list_can_be_read_by_token(users: Users, stack: RunningStack) -> None:
    ada = await users.register()
    page = await ada.request("GET", "/dev/push")

    assert (page.status, "html" in page.headers["Content-Type"]) == (200, True)
    assert await ada.get("/dev/push/messages?token=no-such-token") == {"items": []}


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


async def _devices(user: User, count: int) -> bool:
    return len((await user.get("/v1/devices"))["items"]) == count
