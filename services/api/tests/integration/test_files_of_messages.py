"""Files in messages: sent once, seen by the members, gone with the message."""

import asyncio
from pathlib import Path
from typing import Any

import pytest_asyncio
from synctalk_api.actions.file_cleaning import FileCleaning
from synctalk_api.clients.object_store import ObjectStore
from synctalk_contracts.commands import SendMessage
from synctalk_runtime.ids import new_id
from synctalk_testkit.eventually import eventually

from services.api.tests.integration.conftest import Api, Json, Start, User
from services.api.tests.integration.test_files import Files, picture


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def files_api(start_api: Start, files_folder: Path) -> Any:
    Files.folder = files_folder
    async with start_api(file_rate_per_s=1000, file_burst=1000, file_inspection_s=60) as running:
        yield running


async def text_file(user: User, content: bytes = b"hello", name: str = "a.txt") -> Json:
    return await Files(user).sent(content, "text/plain", name=name)


def messages(conversation: Json) -> str:
    return f"/v1/conversations/{conversation['id']}/messages"


async def refusal(user: User, conversation: Json, **fields: Any) -> tuple[int, set[str]]:
    body = {"client_message_id": new_id(), "body": "", **fields}
    response = await user.call("POST", messages(conversation), body)
    return response.status, response.fields if response.status == 422 else set()


def bytes_of(folder: Path, file: Json) -> list[Path]:
    return list(folder.glob(f"files/{file['id']}/*"))


class TestSending:
    async def test_send__with_files__has_them_live_in_history_and_by_sync(self, files_api: Api) -> None:
        ada, ben = await files_api.users(2)
        group = await ada.group(ben)
        files = [await Files(ada).sent(picture(size=(30, 20))), await text_file(ada)]
        await files_api.subscribe(group["id"])
        sent = await ada.send(group["id"], "", file_ids=[file["id"] for file in files])

        assert (sent["body"], sent["files"]) == ("", files)
        assert (await ben.get(messages(group)))["items"] == [sent]
        assert await ben.get(f"{messages(group)}/{sent['id']}") == sent
        synced = await ben.post("/v1/sync", {"cursors": {group["id"]: group["change_seq"]}})
        assert synced["conversations"][group["id"]]["messages"] == [sent]
        assert (await ben.get(f"/v1/conversations/{group['id']}"))["last_message"] == sent
        event = await eventually(lambda: files_api.redis.room_events(group["id"]))
        assert event[0].payload == sent

    async def test_send__by_a_gateway__is_alike(self, files_api: Api) -> None:
        ada = await files_api.user()
        group, file = await ada.group(), await text_file(ada)
        command = SendMessage(
            conversation_id=group["id"], user_id=ada.id, client_message_id="a", body="", file_ids=[file["id"]]
        )
        first, again = await files_api.command(command), await files_api.command(command)

        assert first["result"]["message"]["files"] == [file]
        assert again["result"] == first["result"]
        other = command.model_copy(update={"client_message_id": "b"})
        assert (await files_api.command(other))["error"]["details"][0]["field"] == "file_ids"

    async def test_send__files_not_completed__completes_them_before(self, files_api: Api) -> None:
        ada = await files_api.user()
        group, files = await ada.group(), Files(ada)
        content = picture(size=(30, 20))
        announced = await files.announce(content)
        file_id = announced["file"]["id"]
        assert await refusal(ada, group, file_ids=[file_id]) == (422, {"file_ids"})
        await files.put(announced["upload"], content)
        sent = await ada.send(group["id"], "look", file_ids=[file_id])

        assert [(file["state"], file["width"]) for file in sent["files"]] == [("ready", 30)]

    async def test_send__files_that_are_not_ones_own_to_send__is_invalid(self, files_api: Api) -> None:
        ada, ben = await files_api.users(2)
        group, mine, his = await ada.group(ben), await text_file(ada), await text_file(ben)
        avatar = await Files(ada).sent(picture(size=(20, 20)), purpose="avatar")
        refused = await Files(ada).announce(b"short", "text/plain", size=9)
        await Files(ada).put(refused["upload"], b"short")
        for file_ids in (
            [his["id"]],
            [avatar["id"]],
            [refused["file"]["id"]],
            [new_id()],
            [mine["id"], his["id"]],
            [mine["id"], mine["id"]],
            [new_id() for _ in range(11)],
            ["not an id"],
            "not a list",
        ):
            status, fields = await refusal(ada, group, file_ids=file_ids)
            assert (status, {name.split(".")[0] for name in fields}) == (422, {"file_ids"}), file_ids
        assert (await ada.send(group["id"], "", file_ids=[mine["id"]]))["seq"] == 1

    async def test_send__neither_text_nor_files__is_invalid(self, files_api: Api) -> None:
        ada = await files_api.user()
        group, file = await ada.group(), await text_file(ada)
        assert await refusal(ada, group) == (422, {"body"})
        assert await refusal(ada, group, file_ids=[]) == (422, {"body"})
        assert await refusal(ada, group, body="  ", file_ids=[file["id"]]) == (422, {"body"})

    async def test_send__by_a_non_member__is_not_found_and_the_file_stays_free(self, files_api: Api) -> None:
        ada, ben = await files_api.users(2)
        group, file = await ada.group(), await text_file(ben)
        assert await refusal(ben, group, file_ids=[file["id"]]) == (404, set())
        assert (await ben.send((await ben.group())["id"], "", file_ids=[file["id"]]))["seq"] == 1

    async def test_send__refused_for_another_reason__leaves_the_file_free(self, files_api: Api) -> None:
        ada = await files_api.user()
        group, file = await ada.group(), await text_file(ada)
        assert await refusal(ada, group, file_ids=[file["id"]], reply_to=new_id()) == (422, {"reply_to"})
        assert (await ada.send(group["id"], "", file_ids=[file["id"]]))["seq"] == 1

    async def test_send__repeated__is_the_same_message_and_with_other_files_another(self, files_api: Api) -> None:
        ada = await files_api.user()
        group, file, other = await ada.group(), await text_file(ada), await text_file(ada)
        body = {"client_message_id": "a", "body": "", "file_ids": [file["id"]]}
        first = await ada.call("POST", messages(group), body)
        again = await ada.call("POST", messages(group), body)
        assert (first.status, again.status, again.body) == (201, 200, first.body)
        different = await ada.call("POST", messages(group), body | {"file_ids": [other["id"]]})
        assert (different.status, different.code) == (409, "client_message_id_reused")
        await ada.delete(f"{messages(group)}/{first.body['id']}")
        assert (await ada.call("POST", messages(group), body)).body["deleted_at"] is not None
        assert (await ada.send(group["id"], "", file_ids=[other["id"]]))["files"] == [other]

    async def test_send__the_same_file_at_once_in_many_messages__is_in_one(self, files_api: Api) -> None:
        ada = await files_api.user()
        group, file = await ada.group(), await text_file(ada)
        answers = await asyncio.gather(*(refusal(ada, group, file_ids=[file["id"]]) for _ in range(5)))
        assert sorted(status for status, _ in answers) == [201, 422, 422, 422, 422]
        assert len((await ada.get(messages(group)))["items"]) == 1

    async def test_edit__with_files__keeps_them_and_may_empty_the_text(self, files_api: Api) -> None:
        ada = await files_api.user()
        group, file = await ada.group(), await text_file(ada)
        sent = await ada.send(group["id"], "look", file_ids=[file["id"]])
        plain = await ada.send(group["id"], "plain")
        edited = await ada.patch(f"{messages(group)}/{sent['id']}", {"body": ""})

        assert (edited["body"], edited["files"]) == ("", [file])
        response = await ada.call("PATCH", f"{messages(group)}/{plain['id']}", {"body": ""})
        assert (response.status, response.fields) == (422, {"body"})


class TestReading:
    async def test_file__of_a_message__is_there_for_the_members_alone(self, files_api: Api) -> None:
        ada, ben, eve = await files_api.users(3)
        group, file = await ada.group(ben), await Files(ada).sent(picture(size=(20, 20)))
        paths = [f"/v1/files/{file['id']}{rest}" for rest in ("", "/content", "/thumbnail?size=64")]

        async def statuses(user: User) -> list[int]:
            return [(await Files(user).read(path))[0] for path in paths]

        assert await statuses(ben) == [404, 404, 404]
        await ada.send(group["id"], "", file_ids=[file["id"]])
        assert await statuses(ben) == await statuses(ada) == [200, 200, 200]
        assert await statuses(eve) == [404, 404, 404]
        assert (await Files(ben).complete(file["id"])).status == 404
        await ben.delete(f"/v1/conversations/{group['id']}/members/{ben.id}")
        await ada.delete(f"/v1/conversations/{group['id']}/members/{ada.id}")
        assert await statuses(ben) == [404, 404, 404]
        assert await statuses(ada) == [200, 200, 200]

    async def test_message__deleted__its_files_are_gone_at_once_and_the_bytes_soon(
        self, files_api: Api, files_folder: Path
    ) -> None:
        ada, ben = await files_api.users(2)
        group, file = await ada.group(ben), await Files(ada).sent(picture(size=(20, 20)))
        sent = await ada.send(group["id"], "", file_ids=[file["id"]])
        assert bytes_of(files_folder, file)
        before = (await ben.get(f"/v1/conversations/{group['id']}"))["change_seq"]
        await ada.delete(f"{messages(group)}/{sent['id']}")

        for user in (ada, ben):
            assert (await Files(user).read(f"/v1/files/{file['id']}/content"))[0] == 404
        synced = await ben.post("/v1/sync", {"cursors": {group["id"]: before}})
        assert [m["files"] for m in synced["conversations"][group["id"]]["messages"]] == [[]]
        await eventually(lambda: not bytes_of(files_folder, file), timeout=15)
        await eventually(lambda: _is_forgotten(files_api, file))

    async def test_group__deleted__the_files_in_it_are_gone(self, files_api: Api, files_folder: Path) -> None:
        ada, ben = await files_api.users(2)
        group, file = await ada.group(ben), await Files(ada).sent(picture(size=(20, 20)))
        await ada.send(group["id"], "", file_ids=[file["id"]])
        assert bytes_of(files_folder, file)
        await ada.delete(f"/v1/conversations/{group['id']}")

        assert (await Files(ben).read(f"/v1/files/{file['id']}/content"))[0] == 404
        await eventually(lambda: not bytes_of(files_folder, file), timeout=30)
        await eventually(lambda: _is_forgotten(files_api, file))


class TestForwarding:
    async def test_forward__of_files__has_new_ones_over_the_same_bytes_until_the_last_is_deleted(
        self, files_api: Api, files_folder: Path
    ) -> None:
        ada, ben, cleo = await files_api.users(3)
        group, other = await ada.group(ben), await ben.group(cleo)
        file = await Files(ada).sent(picture(size=(20, 20)))
        first = await ada.send(group["id"], "look", file_ids=[file["id"]])
        asked = {"client_message_id": "f", "forward": {"conversation_id": group["id"], "message_id": first["id"]}}
        forwarded = await ben.post(messages(other), asked)
        again = await ben.call("POST", messages(other), asked)
        (copy,) = forwarded["files"]

        assert (again.status, again.body) == (200, forwarded)
        assert forwarded["body"] == "look"
        assert copy | {"id": "", "created_at": ""} == file | {"id": "", "created_at": ""}
        assert copy["id"] != file["id"]
        assert (await Files(cleo).read(f"/v1/files/{file['id']}/content"))[0] == 404
        await ada.delete(f"{messages(group)}/{first['id']}")
        await eventually(lambda: _is_forgotten(files_api, file), timeout=15)
        status, read, _ = await Files(cleo).read(f"/v1/files/{copy['id']}/content")
        assert (status, len(read)) == (200, copy["size"])
        assert bytes_of(files_folder, file)
        await ben.delete(f"{messages(other)}/{forwarded['id']}")
        await eventually(lambda: not bytes_of(files_folder, file), timeout=15)

    async def test_forward__beside_files_or_of_what_one_cannot_read__is_invalid(self, files_api: Api) -> None:
        ada, ben = await files_api.users(2)
        group, own, file = await ada.group(), await ben.group(), await text_file(ben)
        message = await ada.send(group["id"], "", file_ids=[(await text_file(ada))["id"]])
        forward = {"conversation_id": group["id"], "message_id": message["id"]}
        assert await refusal(ben, own, forward=forward) == (422, {"forward"})
        assert await refusal(ben, own, forward=forward, file_ids=[file["id"]]) == (422, {"file_ids"})
        assert (await ben.send(own["id"], "", file_ids=[file["id"]]))["seq"] == 1


class TestSearching:
    async def test_search__has_file__finds_messages_with_files(self, files_api: Api) -> None:
        ada = await files_api.user()
        group = await ada.group()
        await ada.send(group["id"], "no file")
        sent = await ada.send(group["id"], "", file_ids=[(await text_file(ada))["id"]])
        found = await ada.get(f"/v1/search/messages?has=file&conversation_id={group['id']}")
        assert [hit["message"] for hit in found["items"]] == [sent]
        await ada.delete(f"{messages(group)}/{sent['id']}")
        assert (await ada.get(f"/v1/search/messages?has=file&conversation_id={group['id']}"))["items"] == []


class TestCleaning:
    async def test_cleaning__a_file_whose_sender_died_before_it_was_noted__goes_by_the_message(
        self, start_api: Start, tmp_path: Path
    ) -> None:
        async with start_api(file_inspection_s=60, files_url=tmp_path.as_uri()) as api:
            ada = await api.user()
            group = await ada.group()
            sent, never = [await Files(ada, tmp_path).sent(b"hello", "text/plain") for _ in range(2)]
            await ada.send(group["id"], "", file_ids=[sent["id"]])
            await api.sql("update files set due_at = now()")
            taken = "update files set conversation_id = $1, client_message_id = 'x' where id = $2"
            await api.sql(taken, group["id"], never["id"])
            cleaning = FileCleaning(api.services.stores, ObjectStore(tmp_path.as_uri(), {}), unused_s=0.2)
            await cleaning.start()
            await eventually(lambda: _ids(api, [sent["id"]]))
            await cleaning.stop()
            assert (await ada.get(f"/v1/files/{sent['id']}"))["state"] == "ready"


async def _is_forgotten(api: Api, file: Json) -> bool:
    return not await api.sql("select from files where id = $1", file["id"])


async def _ids(api: Api, expected: list[str]) -> bool:
    return [str(row["id"]) for row in await api.sql("select id from files")] == expected
