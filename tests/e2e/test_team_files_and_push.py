"""The second part of the interface: its rows and points about files, search, history, presence and push."""

import base64
import io
import json
import secrets
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from PIL import Image
from synctalk_testkit.clients import Users, new_name
from synctalk_testkit.http import request

from tests.e2e.test_files import announced, bytes_at, picture, put
from tests.e2e.test_push import phone_of
from tests.e2e.test_team_interface import refused
from tests.e2e.test_threads import at, receives

FILE_FIELDS = {
    *("id", "name", "size", "content_type", "width", "height", "duration_s", "blurhash", "has_thumbnail"),
    *("created_at", "state"),
}


async def test_team_files_1__announced_file__says_where_to_send_it__within_its_bounds(users: Users) -> None:
    ada = await users.register("Ada")
    new = {"name": "a picture.png", "size": 5, "content_type": "image/png"}
    answer = await ada.request("POST", "/v1/files", json=new)

    assert answer.status == 201
    assert answer.body["upload"].keys() == {"method", "url", "headers", "expires_at"}
    assert answer.body["file"].keys() >= FILE_FIELDS
    assert (answer.body["file"]["name"], answer.body["file"]["state"]) == ("a picture.png", "pending")
    assert await refused(ada, "POST", "/v1/files", new | {"size": 25 * 2**20 + 1}) == (413, "too_large")
    for bad in ({"name": ""}, {"name": "x" * 256}, {"name": "../x"}, {"name": "a/b"}, {"size": 0}):
        assert await refused(ada, "POST", "/v1/files", new | bad) == (422, "invalid")


async def test_team_search_1__operators__are_phrases_negations_prefixes_and_any_part_of_cjk(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    for body in ("Über the red house", "house of red bricks", "東京都に住んでいます"):
        await ada.say(direct, body)

    async def found(query: str) -> list[str]:
        params = {"q": query, "conversation_id": direct}
        answer = await bob.request("GET", "/v1/search/messages", params=params)
        return [hit["message"]["body"] for hit in answer.body["items"]]

    assert await found("UBER hou") == ["Über the red house"]
    assert await found('"red house"') == ["Über the red house"]
    assert await found("red -bricks") == ["Über the red house"]
    assert await found("京都") == ["東京都に住んでいます"]


async def test_team_search_2__history__around_a_message_the_first_unread_and_a_time(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    said = [await ada.say(direct, f"{n}") for n in range(1, 10)]
    await bob.post(f"/v1/conversations/{direct}/read", {"seq": 4})

    async def seqs(query: str) -> list[int]:
        return [m["seq"] for m in (await bob.get(f"/v1/conversations/{direct}/messages?{query}"))["items"]]

    assert await seqs("around_seq=5&limit=5") == [3, 4, 5, 6, 7]
    assert await seqs("around=first_unread&limit=3") == [4, 5, 6]
    assert await seqs(f"at={said[6]['created_at']}") == [7, 8, 9]


async def test_team_presence_1__idle_on_all_devices__is_away__and_status_has_an_emoji(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    await ada.direct_with(bob)
    laptop, phone, watching = await ada.connect(), await ada.connect(), await bob.connect()
    await watching.done("presence:subscribe", {"user_ids": [ada.id]})
    assert await laptop.done("activity", {"active": False}) == {"ok": True}
    await phone.done("activity", {"active": False})
    await receives(watching, "presence:changed", user_id=ada.id, status="away")
    since = len(watching.events)
    await phone.done("activity", {"active": True})
    await watching.wait_for("presence:changed", lambda got: got["status"] == "online", since=since)
    ends = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    await ada.put("/v1/presence/me", {"custom_status": {"text": "Lunch", "emoji": "🍕", "expires_at": ends}})
    await receives(watching, "presence:changed", custom_status="Lunch", status_emoji="🍕")
    await ada.put("/v1/presence/me", {"custom_status": "Plain", "last_seen_visible": "nobody"})
    await receives(watching, "presence:changed", custom_status="Plain", status_emoji=None)


async def test_team_presence_4__push__is_in_the_devices_language(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    await bob.put("/v1/notification-settings", {"content": "none"})
    phones = [await phone_of(bob) for _ in range(2)]
    for phone, locale in zip(phones, ("en", "de"), strict=True):
        await bob.put(f"/v1/devices/{locale}", {"platform": "ios", "token": phone.token, "locale": locale})
    message = await ada.say(direct, "hello")
    pushes = [await phone.gets(message) for phone in phones]

    texts = [push["message"]["apns"]["payload"]["aps"]["alert"] for push in pushes]
    assert texts[0] != texts[1]
    assert "hello" not in json.dumps(texts)


async def test_team_point_06__settings__say_the_level_in_force__and_which_are_ones_own(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    group = (await ada.group_with(bob))["id"]
    path, own = f"/v1/notification-settings/{group}", "/v1/notification-settings"
    assert await bob.get(own) == {
        "settings": {"quiet_hours": None, "content": "full", "level": "all"},
        "conversations": {},
    }
    await bob.put(own, {"level": "mentions"})
    assert await bob.get(path) == {"level": "mentions", "muted_until": None}
    muted = "2999-01-01T00:00:00.000Z"
    await bob.put(path, {"level": "none", "muted_until": muted})
    assert (await bob.get(own))["conversations"] == {group: {"level": "none", "muted_until": muted}}
    await bob.put(path, {"level": "default"})
    assert await bob.get(path) == {"level": "mentions", "muted_until": muted}
    hours = {"from": "22:00", "to": "07:00", "time_zone": "Europe/Berlin"}
    await bob.put(own, {"quiet_hours": hours})
    assert (await bob.get(own))["settings"] == {"quiet_hours": hours, "content": "full", "level": "mentions"}
    for bad in (hours | {"from": "24:00"}, hours | {"to": "7"}, hours | {"time_zone": "Nowhere/Land"}):
        assert await refused(bob, "PUT", own, {"quiet_hours": bad}) == (422, "invalid")


async def test_team_point_07__custom_status__stays_a_string__and_ends_by_itself(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    await ada.direct_with(bob)
    of_ada, watching = await ada.connect(), await bob.connect()
    await watching.done("presence:subscribe", {"user_ids": [ada.id]})
    ends = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
    status = {"text": "Lunch", "emoji": "🍕", "expires_at": ends}
    await of_ada.done("presence:set", {"custom_status": status})
    shown = await receives(watching, "presence:changed", custom_status="Lunch")
    assert (shown["status_emoji"], shown["status_expires_at"] is None) == ("🍕", False)
    over = await receives(watching, "presence:changed", custom_status=None, status_emoji=None)
    assert over["status_expires_at"] is None
    for given, text in (("Plain", "Plain"), (None, None)):
        await ada.put("/v1/presence/me", {"custom_status": given})
        (presence,) = (await bob.get(f"/v1/presence?user_ids={ada.id}"))["items"]
        assert (presence["custom_status"], presence["status_emoji"], presence["status_expires_at"]) == (
            text,
            None,
            None,
        )


async def test_team_point_10__device__has_a_token_or_a_subscription__and_the_key_needs_no_token(users: Users) -> None:
    ada = await users.register("Ada")
    answer = await request(users.http, "GET", f"{users.base_url}/v1/push/vapid-key")
    assert (answer.status, answer.body.keys()) == (200, {"public_key"})
    assert len(base64.urlsafe_b64decode(answer.body["public_key"] + "==")) == 65
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    encoded = [base64.urlsafe_b64encode(each).rstrip(b"=").decode() for each in (point, secrets.token_bytes(16))]
    keys = dict(zip(("p256dh", "auth"), encoded, strict=True))
    subscription = {"endpoint": "https://push.example.org/x", "keys": keys}
    for bad in (
        {},
        {"token": "x", "subscription": subscription},
        {"subscription": subscription | {"endpoint": "http://push.example.org/x"}},
        {"subscription": subscription | {"endpoint": "https://127.0.0.1/x"}},
    ):
        assert await refused(ada, "PUT", "/v1/devices/web", {"platform": "web"} | bad) == (422, "invalid")


async def test_team_point_11__complete__checks_the_bytes__before_any_message(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct, content = (await ada.direct_with(bob))["id"], picture()
    new = await announced(ada, content, "image/png")
    await put(ada, new["upload"], content)
    path = f"/v1/files/{new['file']['id']}"
    for _ in range(2):
        file = await ada.request("POST", f"{path}/complete")
        assert (file.status, file.body["state"], file.body["has_thumbnail"]) == (200, "ready", True)
    assert (file.body["width"], file.body["height"], bool(file.body["blurhash"])) == (320, 200, True)
    lied = await announced(ada, b"hello", "image/png")
    await put(ada, lied["upload"], b"hello")
    assert await refused(ada, "POST", f"/v1/files/{lied['file']['id']}/complete") == (422, "invalid")
    assert (await ada.get(f"/v1/files/{lied['file']['id']}"))["state"] == "refused"
    text = await announced(ada, b"hello", "text/plain")
    await put(ada, text["upload"], b"hello")
    await ada.post(f"/v1/files/{text['file']['id']}/complete")
    assert (await bytes_at(ada, f"/v1/files/{text['file']['id']}/thumbnail?size=64"))[0] == 404
    for file_id in (lied["file"]["id"], direct):
        sent = {"client_message_id": new_name(), "body": "", "file_ids": [file_id]}
        answer = await ada.request("POST", f"/v1/conversations/{direct}/messages", json=sent)
        assert (answer.status, answer.fields) == (422, {"file_ids"})
    another = {"client_message_id": new_name(), "body": "", "file_ids": [new["file"]["id"]]}
    assert (await refused(bob, "POST", f"/v1/conversations/{direct}/messages", another))[0] == 422


async def test_team_point_12__forwarded_file__is_another_id_over_the_same_bytes(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct, content = (await ada.direct_with(bob))["id"], b"hello, bytes"
    path = f"/v1/conversations/{direct}/messages"
    new = await announced(ada, content, "text/plain")
    await put(ada, new["upload"], content)
    sent = {"client_message_id": new_name(), "body": "see", "file_ids": [new["file"]["id"]]}
    message = await ada.post(path, sent)
    forward = {"conversation_id": direct, "message_id": message["id"]}
    copy = await bob.post(path, {"client_message_id": new_name(), "forward": forward})

    assert (await ada.request("POST", path, json=sent)).status == 200
    assert (await refused(ada, "POST", path, sent | {"client_message_id": new_name()}))[0] == 422
    emptied = await ada.patch(at(message), {"body": ""})
    assert (emptied["body"], [file["id"] for file in emptied["files"]]) == ("", [new["file"]["id"]])
    assert copy["files"][0]["id"] != new["file"]["id"]
    await ada.delete(at(message))
    assert (await bytes_at(ada, f"/v1/files/{copy['files'][0]['id']}/content"))[1] == content
    assert (await bytes_at(ada, f"/v1/files/{new['file']['id']}/content"))[0] == 404


async def test_team_point_13__files__need_a_bearer__and_an_avatar_has_a_lasting_address(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    content = picture()
    new = await announced(ada, content, "image/png")
    await put(ada, new["upload"], content)
    path = f"/v1/files/{new['file']['id']}"
    for beyond in ("", "/content", "/thumbnail?size=64"):
        answer = await request(users.http, "GET", users.base_url + path + beyond)
        assert (answer.status, answer.code) == (401, "unauthenticated")
        assert await refused(bob, "GET", path + beyond) == (404, "not_found")
    given = {"name": "me.png", "size": len(content), "content_type": "image/png", "purpose": "avatar"}
    avatar = await ada.post("/v1/files", given)
    await put(ada, avatar["upload"], content)
    done = await ada.post(f"/v1/files/{avatar['file']['id']}/complete")
    user = await ada.patch("/v1/users/me", {"avatar_url": done["url"]})
    address = done["url"] if done["url"].startswith("http") else users.base_url + done["url"]
    async with users.http.get(address) as shown:
        assert (user["avatar_url"], shown.status) == (done["url"], 200)
    sent = {"client_message_id": new_name(), "body": "", "file_ids": [avatar["file"]["id"]]}
    direct = (await ada.direct_with(bob))["id"]
    assert (await refused(ada, "POST", f"/v1/conversations/{direct}/messages", sent))[0] == 422
    large = given | {"size": 5 * 2**20 + 1}
    assert (await refused(ada, "POST", "/v1/files", large))[0] == 413


async def test_team_point_25__one_start_of_a_page__each_with_a_thread_or_the_top_level(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    path = f"/v1/conversations/{direct}/messages"
    root = await ada.say(direct, "root")
    replies = [await ada.say(direct, f"{n}", thread_id=root["id"]) for n in range(5)]
    last = await ada.say(direct, "last")
    assert await refused(ada, "GET", f"{path}?before_seq=1&after_seq=1") == (422, "invalid")
    assert await refused(ada, "GET", f"{path}?around=first_unread&at=2026-01-01T00:00:00Z") == (422, "invalid")

    async def seqs(query: str) -> list[int]:
        return [m["seq"] for m in (await ada.get(f"{path}?{query}"))["items"]]

    assert await seqs(f"around_seq=4&limit=3&thread_id={root['id']}") == [3, 4, 5]
    assert await seqs("around_seq=99&limit=4") == [6, 7]
    assert await seqs("around_seq=1&limit=4&top_level=true") == [1, last["seq"]]
    assert await seqs("around=first_unread&limit=2") == [6, 7]
    assert await seqs("at=2999-01-01T00:00:00Z") == []
    page = await ada.get(f"{path}?at=2020-01-01T00:00:00Z&limit=2")
    rest = await ada.get(f"{path}?at=2020-01-01T00:00:00Z&limit=2&cursor={page['next_cursor']}")
    assert [m["seq"] for m in rest["items"]] == [replies[1]["seq"], replies[2]["seq"]]


async def test_team_point_26__search__filters_hold_together__and_marks_by_code_points(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    plain = await ada.say(direct, "🙂 tea at noon")
    link = await ada.say(direct, "tea https://example.org")
    await bob.put(f"{at(link)}/reactions/👍")
    await bob.put(f"{at(link)}/pin")
    search = "/v1/search/messages"

    (hit,) = (await bob.get(f"{search}?q=noon"))["items"]
    assert hit["ranges"] == [[9, 13]]
    assert "noon" in hit["highlight"]
    for query in ("has=link&has=reaction&has=pin", f"q=tea&after={link['created_at']}", "q=tea&has=link"):
        found = (await bob.get(f"{search}?{query}&conversation_id={direct}"))["items"]
        assert [each["message"]["id"] for each in found] == [link["id"]]
    before = (await bob.get(f"{search}?q=tea&before={link['created_at']}"))["items"]
    assert [each["message"]["id"] for each in before] == [plain["id"]]
    for query in ("q=", "q=-tea", "q=tea&has=nothing", "q=tea&before=yesterday"):
        assert await refused(bob, "GET", f"{search}?{query}") == (422, "invalid")
    eve = await users.register("Eve")
    assert await refused(eve, "GET", f"{search}?q=tea&conversation_id={direct}") == (404, "not_found")


async def test_team_files_5__picture__loses_where_it_was_taken(users: Users) -> None:
    ada = await users.register("Ada")
    exif = Image.Exif()
    exif[0x010F] = "A secret camera"
    out = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(out, "JPEG", exif=exif)
    content = out.getvalue()
    assert b"A secret camera" in content
    new = await announced(ada, content, "image/jpeg")
    await put(ada, new["upload"], content)
    await ada.post(f"/v1/files/{new['file']['id']}/complete")
    status, read, headers = await bytes_at(ada, f"/v1/files/{new['file']['id']}/content")
    assert (status, headers["Content-Type"], b"A secret camera" in read) == (200, "image/jpeg", False)


async def test_team_files_4__content__is_an_attachment_unless_it_is_known_to_be_safe(users: Users) -> None:
    ada = await users.register("Ada")
    dispositions = {}
    for content, content_type in ((picture(), "image/png"), (b"<script>alert(1)</script>", "text/html")):
        new = await announced(ada, content, content_type)
        await put(ada, new["upload"], content)
        file = await ada.post(f"/v1/files/{new['file']['id']}/complete")
        status, read, headers = await bytes_at(ada, f"/v1/files/{file['id']}/content", Range="bytes=0-3")
        assert (status, read, headers["X-Content-Type-Options"]) == (206, content[:4], "nosniff")
        assert "sandbox" in headers["Content-Security-Policy"]
        dispositions[content_type] = headers["Content-Disposition"].partition(";")[0]
        thumbnail = (await bytes_at(ada, f"/v1/files/{file['id']}/thumbnail?size=360"))[0]
        assert thumbnail == (200 if file["has_thumbnail"] else 404)
    assert dispositions == {"image/png": "inline", "text/html": "attachment"}
