"""Previews of links, through the whole system: the sender writes and goes, everybody else sees what the page says."""

from aiohttp import web
from synctalk_testkit.clients import Users
from synctalk_testkit.service import serve_stub


async def test_link__of_a_sender_who_is_gone__gets_its_preview_live_and_by_sync(users: Users) -> None:
    async def page(_: web.Request) -> web.Response:
        head = "<title>Tides</title><meta name=description content='Of the North Sea'>"
        return web.Response(text=head, content_type="text/html")

    app = web.Application()
    app.router.add_get("/tides", page)
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    of_bob = await bob.connect()
    async with serve_stub(app) as site:
        message = await ada.say(direct, f"see {site}/tides")

        shown = await of_bob.wait_for("message:updated")

    preview = {"url": f"{site}/tides", "title": "Tides", "description": "Of the North Sea", "image_url": None}
    assert shown == message | {"previews": [preview], "change_seq": message["change_seq"] + 1}
    synced = await of_bob.call("sync", {"cursors": {direct: message["change_seq"]}})
    assert synced["conversations"][direct]["messages"] == [shown]
    await ada.delete(f"/v1/conversations/{direct}/messages/{message['id']}")
    assert (await of_bob.wait_for("message:deleted"))["previews"] == []
