"""Files: who may, what is taken, what is served and how; in a local folder and in a bucket of S3."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar

import boto3
import pytest
import pytest_asyncio
from moto.server import ThreadedMotoServer
from PIL import Image
from synctalk_api.actions.file_cleaning import FileCleaning
from synctalk_api.clients.object_store import ObjectStore
from synctalk_runtime.ids import new_id
from synctalk_testkit.eventually import eventually
from synctalk_testkit.http import Response

from services.api.tests.integration.conftest import Api, Start, User

Json = dict[str, Any]
BUCKET = "files"
GROUP: Json = {"type": "group", "title": "A group", "member_ids": []}
MIB = 1024 * 1024


def picture(kind: str = "PNG", size: tuple[int, int] = (600, 400)) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 90).convert("RGB").save(out, kind)
    return out.getvalue()


class Files:
    """A user's calls for files."""

    folder: ClassVar[Path]
    """Where the shared api has its files."""

    def __init__(self, user: User, folder: Path | None = None) -> None:
        self.user = user
        self._folder = folder or self.folder
        self.http = user.service.http

    async def announce(self, content: bytes, content_type: str = "image/png", **fields: Any) -> Json:
        new = {"name": "a.png", "size": len(content), "content_type": content_type, **fields}
        announced: Json = await self.user.post("/v1/files", new)
        return announced

    async def put(self, upload: Json, content: bytes) -> int:
        """Send the bytes; into a folder as the edge does it, which asks first."""
        if "/v1/uploads/" in upload["url"]:
            given = {"X-Upload-Length": str(len(content))}
            async with self.http.get(upload["url"], headers=given) as allowed:
                if allowed.status == 204:
                    path = self._folder / "uploads" / upload["url"].split("/")[-1].split("?")[0]
                    path.parent.mkdir(exist_ok=True)
                    path.write_bytes(content)
                return allowed.status
        async with self.http.request(
            upload["method"], upload["url"], data=content, headers=upload["headers"]
        ) as response:
            return response.status

    async def complete(self, file_id: str) -> Response:
        return await self.user.call("POST", f"/v1/files/{file_id}/complete")

    async def sent(self, content: bytes, content_type: str = "image/png", **fields: Any) -> Json:
        announced = await self.announce(content, content_type, **fields)
        assert await self.put(announced["upload"], content) in (200, 204)
        completed = await self.complete(announced["file"]["id"])
        assert completed.status == 200, completed
        file: Json = completed.body
        return file

    async def refused(self, content: bytes, content_type: str, **fields: Any) -> str:
        """Send a file that is refused, and return why."""
        announced = await self.announce(content, content_type, **fields)
        await self.put(announced["upload"], content)
        completed = await self.complete(announced["file"]["id"])
        assert completed.fields == {"file"}, completed
        assert (await self.complete(announced["file"]["id"])).status == 422
        assert (await self.user.get(f"/v1/files/{announced['file']['id']}"))["state"] == "refused"
        return str(completed.body["error"]["details"][0]["message"])

    async def read(self, path: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
        """Read bytes, wherever a redirect leads."""
        token = self.user.tokens.mint(self.user.id, self.user.session_id)
        given = {"authorization": f"Bearer {token}"} | headers
        url = self.user.service.url + path
        async with self.http.get(url, headers=given, allow_redirects=False) as response:
            if response.status != 302:
                return response.status, await response.read(), dict(response.headers)
        async with self.http.get(response.headers["location"], headers=headers) as bucket:
            return bucket.status, await bucket.read(), dict(bucket.headers)


@pytest.fixture(scope="module", autouse=True)
def _folder(files_folder: Path) -> None:
    Files.folder = files_folder


@pytest.fixture(scope="module")
def bucket() -> Any:
    """Return the settings of a bucket of a real S3 API, on this machine."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    options = {"access_key_id": "key", "secret_access_key": "secret", "region": "us-east-1"}
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        region_name="us-east-1",
    )
    client.create_bucket(Bucket=BUCKET)
    yield {
        "files_url": f"s3://{BUCKET}/synctalk",
        "files_options": options | {"endpoint": f"http://{host}:{port}"},
    }
    client.close()
    server.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=["folder", "s3"])
async def stored(request: pytest.FixtureRequest, start_api: Start) -> AsyncIterator[Api]:
    """Return an api for each kind of store."""
    settings = request.getfixturevalue("bucket") if request.param == "s3" else {}
    async with start_api(file_rate_per_s=1000, file_burst=1000, file_inspection_s=60, **settings) as running:
        yield running


async def test_file__announced_sent_and_completed__is_ready_and_reads_as_it_was_sent(stored: Api) -> None:
    files = Files(await stored.user())
    content = picture()
    announced = await files.announce(content)
    assert announced["file"]["state"] == "pending"
    assert announced["upload"]["method"] == "PUT"
    assert (await files.complete(announced["file"]["id"])).fields == {"file"}
    await files.put(announced["upload"], content)
    completed = await files.complete(announced["file"]["id"])
    assert completed.status == 200
    file = completed.body
    assert file == await files.user.get(f"/v1/files/{file['id']}")
    assert (await files.complete(file["id"])).body == file
    assert (file["state"], file["content_type"], file["size"]) == ("ready", "image/png", len(content))
    assert (file["width"], file["height"], file["has_thumbnail"], file["url"]) == (600, 400, True, None)
    status, read, headers = await files.read(f"/v1/files/{file['id']}/content")
    assert (status, read) == (200, content)
    assert headers["Content-Type"] == "image/png"
    assert headers["Content-Disposition"].startswith("inline")
    status, read, _ = await files.read(f"/v1/files/{file['id']}/content", Range="bytes=10-19")
    assert (status, read) == (206, content[10:20])
    status, read, headers = await files.read(f"/v1/files/{file['id']}/thumbnail?size=64")
    assert (status, headers["Content-Type"]) == (200, "image/webp")
    assert Image.open(io.BytesIO(read)).size == (64, 43)


async def test_file__of_another_user_or_without_a_token__does_not_exist(stored: Api) -> None:
    ada, grace = await stored.users(2)
    file = await Files(ada).sent(picture(size=(20, 20)))
    for path in ("", "/content", "/thumbnail"):
        assert (await grace.call("GET", f"/v1/files/{file['id']}{path}")).status == 404
        assert (await stored.service.call("GET", f"/v1/files/{file['id']}{path}")).status == 401
    assert (await Files(grace).complete(file["id"])).status == 404
    assert (await ada.call("GET", f"/v1/files/{new_id()}")).status == 404
    assert (await stored.service.call("POST", "/v1/files", {})).status == 401


async def test_file__that_is_not_what_was_announced__is_refused_for_good(stored: Api) -> None:
    files = Files(await stored.user())
    assert "is text/html" in await files.refused(b"<html><script>alert(1)</script>", "image/png")
    assert "cut short" in await files.refused(picture()[:500], "image/png")
    assert "cut short" in await files.refused(b"\0\0\0\x18ftypisom" + bytes(12), "video/mp4")
    assert "5 bytes instead of 9" in await files.refused(b"short", "text/plain", size=9)
    await files.refused(b"too long", "text/plain", size=3)


async def test_file__with_scripts__is_only_downloaded(stored: Api) -> None:
    files = Files(await stored.user())
    for content, claimed, found in (
        (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "image/svg+xml", "image/svg+xml"),
        (b"<!doctype html><script>alert(1)</script>", "text/plain", "text/html"),
    ):
        file = await files.sent(content, claimed, name="näme.html")
        assert (file["content_type"], file["has_thumbnail"]) == (found, False)
        _, read, headers = await files.read(f"/v1/files/{file['id']}/content")
        assert read == content
        assert headers["Content-Type"] == "application/octet-stream"
        assert headers["Content-Disposition"] == "attachment; filename*=UTF-8''n%C3%A4me.html"
        assert (await files.user.call("GET", f"/v1/files/{file['id']}/thumbnail")).status == 404


async def test_upload__after_the_file_is_ready__changes_nothing(stored: Api) -> None:
    files = Files(await stored.user())
    content = b"as it was checked"
    announced = await files.announce(content, "text/plain")
    await files.put(announced["upload"], content)
    await files.complete(announced["file"]["id"])
    await files.put(announced["upload"], b"another one, same")
    _, read, _ = await files.read(f"/v1/files/{announced['file']['id']}/content")
    assert read == content


async def test_file__completed_many_times_at_once__is_settled_once(stored: Api) -> None:
    files = Files(await stored.user())
    content = picture(size=(30, 30))
    announced = await files.announce(content)
    await files.put(announced["upload"], content)
    answers = await asyncio.gather(*(files.complete(announced["file"]["id"]) for _ in range(4)))
    assert {json.dumps(answer.body, sort_keys=True) for answer in answers} == {
        json.dumps(answers[0].body, sort_keys=True)
    }
    assert (await files.read(f"/v1/files/{announced['file']['id']}/content"))[1] == content


async def test_avatar__uploaded__is_public_and_a_profile_takes_it(stored: Api) -> None:
    files = Files(await stored.user())
    content = picture(size=(50, 50))
    file = await files.sent(content, purpose="avatar")
    assert file["url"] == f"/v1/avatars/{file['id']}"
    assert (await files.user.patch("/v1/users/me", {"avatar_url": file["url"]}))["avatar_url"] == file["url"]
    async with stored.service.http.get(stored.service.url + file["url"]) as response:
        assert (response.status, await response.read()) == (200, content)
    message_file = await files.sent(content)
    assert (await stored.service.call("GET", f"/v1/avatars/{message_file['id']}")).status == 404
    assert (await stored.service.call("GET", f"/v1/avatars/{new_id()}")).status == 404


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "n" * 256}, "name"),
        ({"name": "../../etc/passwd"}, "name"),
        ({"name": "..\\secret"}, "name"),
        ({"name": ".."}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"size": 0}, "size"),
        ({"size": -1}, "size"),
        ({"content_type": "image"}, "content_type"),
        ({"content_type": "image/png\r\nX: y"}, "content_type"),
        ({"purpose": "other"}, "purpose"),
        ({"purpose": "avatar", "content_type": "text/plain"}, "content_type"),
    ],
)
async def test_announce__with_wrong_fields__is_invalid(api: Api, changed: Json, field: str) -> None:
    ada = await api.user()
    new = {"name": "a", "size": 1, "content_type": "image/png"} | changed
    response = await ada.call("POST", "/v1/files", new)
    assert (response.status, response.fields) == (422, {field})


async def test_announce__of_too_much__is_too_large(start_api: Start) -> None:
    async with start_api(file_quota_bytes=30 * MIB) as api:
        ada, grace = await api.users(2)
        new = {"name": "a", "size": 25 * MIB, "content_type": "image/png"}
        assert (await ada.call("POST", "/v1/files", new | {"size": 25 * MIB + 1})).status == 413
        assert (await ada.call("POST", "/v1/files", new | {"size": 6 * MIB, "purpose": "avatar"})).status == 413
        assert (await ada.call("POST", "/v1/files", new)).status == 201
        assert (await ada.call("POST", "/v1/files", new)).code == "too_large"
        assert (await grace.call("POST", "/v1/files", new)).status == 201


async def test_upload__at_an_address_that_was_not_given__is_forbidden(api: Api) -> None:
    files = Files(await api.user())
    announced = await files.announce(b"hello", "text/plain")
    url = announced["upload"]["url"]
    other = url.replace(announced["file"]["id"], new_id())
    base, late = url.split("?")[0], "expires=9" + url.partition("expires=")[2][1:]
    for wrong in (
        other,
        url.replace("size=5", "size=9999"),
        url.partition("expires=")[0] + late,
        url[:-64] + "0" * 64,
        url[:-64] + "%C3%A4",
        f"{base}?size=5&expires=never&signature=a",
        base,
    ):
        assert await files.put(announced["upload"] | {"url": wrong}, b"hello") == 403, wrong
    for length in ("", "five", "-5", "5.0", "9" * 30):
        async with files.http.get(url, headers={"X-Upload-Length": length}) as answer:
            assert answer.status == 403
    assert await files.put(announced["upload"], b"hello") == 204
    assert (await files.complete(announced["file"]["id"])).status == 200
    assert await files.put(announced["upload"], b"other") == 403


async def test_content__served_by_api__can_do_nothing_in_a_page(api: Api) -> None:
    files = Files(await api.user())
    file = await files.sent(picture(size=(20, 20)))
    for path in ("content", "thumbnail"):
        _, _, headers = await files.read(f"/v1/files/{file['id']}/{path}")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


async def test_files__that_nothing_uses__go_with_their_bytes(start_api: Start, tmp_path: Path) -> None:
    async with start_api(file_inspection_s=60, files_url=tmp_path.as_uri()) as api:
        files = Files(await api.user(), tmp_path)
        await files.announce(b"never sent", "text/plain")
        used = [await files.sent(picture(size=(20, 20)), purpose="avatar") for _ in range(2)]
        await files.user.patch("/v1/users/me", {"avatar_url": used[0]["url"]})
        await files.user.post("/v1/conversations", GROUP | {"avatar_url": used[1]["url"]})
        unused = [await files.sent(picture(size=(20, 20)), purpose=purpose) for purpose in ("message", "avatar")]
        await api.sql("update files set due_at = now()")
        cleaning = FileCleaning(api.services.stores, ObjectStore(tmp_path.as_uri(), {}), unused_s=0.2)

        async def are_gone() -> bool:
            rows = await api.sql("select id from files")
            return {str(row["id"]) for row in rows} == {file["id"] for file in used}

        await cleaning.start()
        await eventually(are_gone, message="the files were not deleted")
        await cleaning.stop()
        assert all(any(file["id"] in path for file in used) for path in _files_in(tmp_path))
        assert (await files.user.call("GET", f"/v1/files/{unused[0]['id']}")).status == 404
        assert (await api.sql("select bytes from file_usage"))[0]["bytes"] == sum(file["size"] for file in used)


def _files_in(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*") if path.is_file()]
