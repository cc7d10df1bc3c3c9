"""Files from one user to another, by way of the edge: sent into the folder, in messages, and gone with them."""

import io
import os
import time
from typing import Any

import psutil
from multidict import CIMultiDictProxy
from PIL import Image
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import LiveSocket, User, Users, new_name
from synctalk_testkit.eventually import eventually

MIB = 2**20


def picture() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((320, 200), 90).convert("RGB").save(out, "PNG")
    return out.getvalue()


async def announced(user: User, content: bytes, content_type: str) -> dict[str, Any]:
    new = {"name": "a file", "size": len(content), "content_type": content_type}
    answer: dict[str, Any] = await user.post("/v1/files", new)
    return answer


async def put(user: User, upload: dict[str, Any], content: bytes) -> int:
    async with user.http.request(
        upload["method"], upload["url"], data=io.BytesIO(content), headers=upload["headers"]
    ) as answer:
        return answer.status


async def bytes_at(user: User, path: str, **given: str) -> tuple[int, bytes, CIMultiDictProxy[str]]:
    headers = {"Authorization": f"Bearer {user.access_token}"} | given
    async with user.http.get(user.base_url + path, headers=headers) as answer:
        return answer.status, await answer.read(), answer.headers


async def sent_with(socket: LiveSocket, conversation_id: str, file_id: str) -> dict[str, Any]:
    """Send it as clients do: the file is inspected first, on a loaded machine for longer than a command may take."""
    message = {"conversation_id": conversation_id, "client_message_id": new_name(), "body": "", "file_ids": [file_id]}

    async def ack() -> dict[str, Any] | None:
        answer: dict[str, Any] = await socket.call("message:send", message)
        assert answer["ok"] or answer["error"]["code"] == "unavailable", answer
        return answer if answer["ok"] else None

    sent: dict[str, Any] = (await eventually(ack, 30))["message"]
    return sent


async def test_team_files_3__file__sent_in_a_message__is_the_others_to_read_until_it_is_deleted(users: Users) -> None:
    ada, bob, eve = await users.register_all("Ada", "Bob", "Eve")
    direct = (await ada.direct_with(bob))["id"]
    live = await bob.connect()
    content = picture()
    new = await announced(ada, content, "image/png")
    file_id = new["file"]["id"]
    assert await put(ada, new["upload"], content) == 201
    message = await sent_with(await ada.connect(), direct, file_id)
    (file,) = message["files"]

    assert (file["id"], file["state"], file["width"], file["has_thumbnail"]) == (file_id, "ready", 320, True)
    assert (await live.wait_for("message:new"))["files"] == [file]
    status, read, headers = await bytes_at(bob, f"/v1/files/{file_id}/content")
    assert (status, read, headers["Content-Type"]) == (200, content, "image/png")
    assert headers.getall("X-Content-Type-Options") == ["nosniff"]
    assert "sandbox" in headers["Content-Security-Policy"]
    status, read, headers = await bytes_at(bob, f"/v1/files/{file_id}/content", Range="bytes=5-9")
    assert (status, read) == (206, content[5:10])
    assert (await bytes_at(bob, f"/v1/files/{file_id}/thumbnail?size=64"))[0] == 200
    assert (await eve.request("GET", f"/v1/files/{file_id}")).status == 404
    await ada.delete(f"/v1/conversations/{direct}/messages/{message['id']}")
    assert (await live.wait_for("message:deleted"))["files"] == []
    for user in (ada, bob):
        assert (await user.request("GET", f"/v1/files/{file_id}/content")).status == 404


async def test_team_files_2__upload__at_an_address_that_was_changed_or_of_too_many_bytes__is_refused(
    users: Users,
) -> None:
    ada = await users.register()
    new = await announced(ada, b"hello", "text/plain")
    url = new["upload"]["url"]
    for changed in (url.replace("size=5", "size=50"), url[:-64] + "0" * 64, url.partition("?")[0]):
        assert await put(ada, new["upload"] | {"url": changed}, b"hello") == 404
    assert await put(ada, new["upload"], b"hello and more") == 404
    assert (await ada.request("POST", f"/v1/files/{new['file']['id']}/complete")).status == 422


async def test_upload__of_25_mib__passes_by_api(users: Users, stack: RunningStack) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    content = os.urandom(25 * MIB)
    new = await announced(ada, content, "application/octet-stream")
    process = api_process(stack)
    before = process.io_counters().read_chars, process.memory_info().rss
    began = time.monotonic()
    assert await put(ada, new["upload"], content) == 201, stack.log("edge")
    took_s = time.monotonic() - began

    read, grown = process.io_counters().read_chars - before[0], process.memory_info().rss - before[1]
    assert read < MIB, f"api read {read} bytes meanwhile"
    assert grown < 4 * MIB, f"api grew by {grown} bytes"
    assert took_s < 10
    message = await ada.say(direct, "", file_ids=[new["file"]["id"]])
    assert message["files"][0]["size"] == len(content)
    print(f"25 MiB in {took_s:.2f} s; api read {read} bytes and grew by {grown / MIB:.1f} MiB")  # noqa: T201


def api_process(stack: RunningStack) -> psutil.Process:
    return psutil.Process(stack.pid("api-1"))
