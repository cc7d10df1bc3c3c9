"""What names a claimed guest within messages, and the files of its messages, are the user's who claimed it."""

import secrets
from pathlib import Path
from typing import Any

import pytest_asyncio

from services.api.tests.integration.conftest import Api, Start
from services.api.tests.integration.test_claims import claim, history
from services.api.tests.integration.test_files import Files


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def api(start_api: Start, files_folder: Path) -> Any:
    Files.folder = files_folder
    async with start_api(file_rate_per_s=1000, file_burst=1000, file_inspection_s=60) as running:
        yield running


async def test_messages_of_the_group__name_the_user(api: Api) -> None:
    ada, ben = await api.users(2)
    guest = await api.user("Guest", is_guest=True)
    body = {"type": "group", "title": "A", "member_ids": [], "system_messages": True}
    group = await ada.post("/v1/conversations", body)
    await ada.post(f"/v1/conversations/{group['id']}/members", {"user_ids": [guest.id]})

    await claim(api, guest, ben)

    said = [message["system"] for message in await history(ben, group)]
    assert said == [{"type": "created"}, {"type": "member_added", "user_ids": [ben.id], "by": ada.id}]


async def test_forwarded_messages_of_the_guest__are_from_the_user(api: Api) -> None:
    ada, ben = await api.users(2)
    guest = await api.user("Guest", is_guest=True)
    group = await ada.group(guest)
    sent = await guest.send(group["id"], "by the guest")
    by_ada = await ada.send(group["id"], "by Ada")
    for message in (sent, by_ada):
        forward = {"conversation_id": group["id"], "message_id": message["id"]}
        body = {"client_message_id": secrets.token_hex(8), "forward": forward}
        await ada.post(f"/v1/conversations/{group['id']}/messages", body)

    await claim(api, guest, ben)

    messages = await history(ben, group)
    assert [m["forwarded_from"] and m["forwarded_from"]["sender_id"] for m in messages] == [None, None, ben.id, ada.id]
    cursor = {"cursors": {group["id"]: messages[-1]["change_seq"] - 1}}
    assert (await ada.post("/v1/sync", cursor))["conversations"][group["id"]].get("reset") is True


async def test_files_of_the_guest__are_the_users__and_seen_as_before(api: Api) -> None:
    ada, ben, cyd = await api.users(3)
    guest = await api.user("Guest", is_guest=True)
    group = await ada.group(guest, ben)
    content = secrets.token_bytes(100)
    ids: list[str] = []
    for sender, name in ((guest, "same"), (ben, "same"), (guest, "other")):
        file = await Files(sender).sent(content, "application/octet-stream", name="a.bin")
        await sender.send(group["id"], file_ids=[file["id"]], client_message_id=name)
        ids.append(file["id"])
    sent = await history(ada, group)

    async def used(user_id: str) -> int:
        rows = await api.sql("select bytes from file_usage where owner_id = $1", user_id)
        return rows[0]["bytes"] if rows else 0

    assert (await used(guest.id), await used(ben.id)) == (200, 100)

    await claim(api, guest, ben)

    assert (await used(guest.id), await used(ben.id)) == (0, 300)
    for file_id in ids:
        path = f"/v1/files/{file_id}"
        for reader in (ada, ben):
            status, read, _ = await Files(reader).read(f"{path}/content")
            assert (status, read) == (200, content)
        assert (await cyd.call("GET", path)).status == 404
        assert (await ben.get(path))["id"] == file_id
    for message in await history(ben, group):
        await ben.delete(f"/v1/conversations/{group['id']}/messages/{message['id']}")
    assert len(sent) == 3
    for file_id in ids:
        assert (await ada.call("GET", f"/v1/files/{file_id}/content")).status == 404
