"""Web Push: subscriptions, and what reaches a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from synctalk_testkit.eventually import eventually

from services.notifier.tests.integration.browsers import Browser

if TYPE_CHECKING:
    from synctalk_fcm.inbox import Received

    from services.notifier.tests.harness import NotifierUser, Rig

PATH = "/v1/devices/laptop"
KEYS = Browser().subscription()["keys"]


async def subscribed(user: NotifierUser, token: str | None = None, **device: Any) -> Browser:
    browser = Browser(token) if token else Browser()
    await user.put(PATH, {"platform": "web", "subscription": browser.subscription()} | device)
    return browser


async def pushes(rig: Rig, browser: Browser, count: int = 1) -> list[Received]:
    """Wait until so many were taken."""

    def taken() -> list[Received]:
        return [received for received in rig.pushed(browser.token) if received.answered == 201]

    await eventually(lambda: len(taken()) >= count)
    return taken()


class TestSubscription:
    @pytest.mark.parametrize(
        "device",
        [
            {"platform": "web"},
            {"platform": "web", "token": "a", "subscription": Browser().subscription()},
            {"platform": "android", "subscription": Browser().subscription()},
            {"platform": "web", "subscription": {"endpoint": "https://8.8.8.8/a"}},
            {"platform": "web", "subscription": {"endpoint": "https://8.8.8.8/a", "keys": {"p256dh": KEYS["p256dh"]}}},
            {"platform": "web", "subscription": {"endpoint": "https://8.8.8.8/a", "keys": KEYS | {"auth": "AAAA"}}},
            {"platform": "web", "subscription": {"endpoint": "https://8.8.8.8/a", "keys": KEYS | {"p256dh": "AAAA"}}},
            {"platform": "web", "subscription": {"endpoint": "https://8.8.8.8/a", "keys": KEYS | {"p256dh": "ä"}}},
            {"platform": "web", "subscription": {"endpoint": "", "keys": KEYS}},
            {"platform": "web", "subscription": {"endpoint": 5, "keys": KEYS}},
            {"platform": "web", "subscription": Browser().subscription(), "locale": "not a locale"},
        ],
    )
    async def test_put__not_a_subscription__is_invalid(self, rig: Rig, device: dict[str, Any]) -> None:
        response = await rig.user().call("PUT", PATH, device)
        assert (response.status, response.code) == (422, "invalid")

    @pytest.mark.parametrize(
        "endpoint",
        [
            "http://8.8.8.8/push",
            "https://127.0.0.1/push",
            "https://localhost/push",
            "https://10.0.0.8/push",
            "https://169.254.169.254/latest",
            "https://[::1]/push",
            "https://[::ffff:10.0.0.1]/push",
            "https://no-such-host.invalid/push",
            "https://user@8.8.8.8/push",
            "ftp://8.8.8.8/push",
            "/push",
            "http://localhost/dev/webpush/",
            "http://localhost/dev/webpush/a/../../admin",
            "http://localhost/other/dev/webpush/a",
        ],
    )
    async def test_put__endpoint_that_is_not_https_to_a_public_address__is_invalid(
        self, rig: Rig, endpoint: str
    ) -> None:
        subscription = Browser().subscription(endpoint)
        response = await rig.user().call("PUT", PATH, {"platform": "web", "subscription": subscription})
        assert (response.status, response.fields) == (422, {"subscription.endpoint"})

    async def test_put__a_public_one__is_listed_like_any_device(self, rig: Rig) -> None:
        ada = rig.user()
        await ada.put(PATH, {"platform": "web", "subscription": Browser().subscription("https://8.8.8.8/push/a")})
        [listed] = (await ada.get("/v1/devices"))["items"]
        assert (listed.keys(), listed["platform"]) == ({"device_id", "platform", "created_at"}, "web")

    async def test_put__of_another_user_in_the_same_browser__takes_it_over(self, rig: Rig) -> None:
        ada, bob = rig.user(), rig.user()
        browser = await subscribed(ada)
        await bob.put(PATH, {"platform": "web", "subscription": browser.subscription()})
        assert (await ada.get("/v1/devices"))["items"] == []

    async def test_put__a_token_after_a_subscription__replaces_it(self, rig: Rig) -> None:
        ada, bob = rig.user(), rig.user()
        browser = await subscribed(bob)
        token = await bob.add_device(device_id="laptop")
        await (await rig.conversation(ada, bob)).write(ada)
        await rig.pushes(token, 1)
        assert rig.pushed(browser.token) == []


async def test_vapid_key__without_a_token__is_the_one_that_pushes_are_signed_with(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    browser = await subscribed(bob)
    response = await rig.service.call("GET", "/v1/push/vapid-key")
    await (await rig.conversation(ada, bob)).write(ada)
    [received] = await pushes(rig, browser)

    assert received.headers is not None
    scheme, _, rest = received.headers["authorization"].partition(" ")
    signed, key = (part.partition("=")[2] for part in rest.split(", "))
    assert (response.status, response.body, scheme) == (200, {"public_key": key}, "vapid")
    point = jwt.utils.base64url_decode(key)
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    claims = jwt.decode(signed, public, algorithms=["ES256"], audience="http://localhost:8080")
    assert claims["sub"] == "mailto:operator@localhost"


async def test_push__to_a_browser__is_readable_there_alone(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    browser = await subscribed(bob, locale="de")
    conversation = await rig.conversation(ada, bob)
    rig.upstreams.says(bob.id, conversation.id, badge=7, sender_name="Ada", title="Team")
    event = await conversation.write(ada)
    [received] = await pushes(rig, browser)

    assert received.headers is not None
    assert browser.read(received) == {
        "data": {
            "type": "message",
            "conversation_id": conversation.id,
            "message_id": event.message.id,
            "seq": "1",
            "badge": "7",
            "sender_name": "Ada",
            "title": "Team",
            "text": "hello",
            "thread_id": "",
        },
        "notification": {"title": "Team", "body": "Ada: hello"},
    }
    assert (received.headers["content-encoding"], received.headers["urgency"]) == ("aes128gcm", "high")
    assert (received.headers["ttl"], received.headers["topic"]) == ("3600", conversation.id.replace("-", ""))


async def test_push__of_the_longest_names_and_text__fits(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    browser = await subscribed(bob)
    conversation = await rig.conversation(ada, bob)
    rig.upstreams.says(bob.id, conversation.id, badge=10**6, sender_name="\U0001f600" * 64, title="\U0001f600" * 128)
    await conversation.write(ada, body="\U0001f600" * 8_000)
    [received] = await pushes(rig, browser)

    assert browser.read(received)["data"]["text"] == "\U0001f600" * 200


async def test_push__read_elsewhere__is_retracted_silently(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    browser = await subscribed(bob)
    conversation = await rig.conversation(ada, bob)
    await conversation.write(ada)
    await pushes(rig, browser)
    await rig.settled()
    await conversation.read(bob, 1)
    received = (await pushes(rig, browser, 2))[1]

    assert received.headers is not None
    read = browser.read(received)
    assert (read["data"]["type"], read["notification"], received.headers["urgency"]) == ("retract", None, "low")


async def test_push__browser_unsubscribed__forgets_the_device(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    browser = await subscribed(bob, f"unregistered-{Browser().token}")
    await (await rig.conversation(ada, bob)).write(ada)

    async def gone() -> bool:
        return not (await bob.get("/v1/devices"))["items"]

    await eventually(gone)
    assert [received.answered for received in rig.pushed(browser.token)] == [410]


async def test_push__push_service_in_trouble__is_tried_again(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    browser = await subscribed(bob, f"unavailable-{Browser().token}")
    await (await rig.conversation(ada, bob)).write(ada)
    await pushes(rig, browser)
    assert [received.answered for received in rig.pushed(browser.token)] == [503, 503, 201]
