"""Previews of links, through the whole system: the sender writes and goes, everybody else sees what the page says."""

from aiohttp import web
from synctalk_testkit.clients import Users
from synctalk_testkit.service import serve_stub


async def test_link__of_a_sender_who_is_gone__gets_its_preview_live_and_by_sync(users: Users) -> None:
    async def page(_: web.Request) -> web.Response:
        head = "<title>Tides</title><meta name=description content='Of the North Sea'>"
        return web.Response(text=head, content_type="text/html")

    app = web.Application()
    app.router.add_get("/{page}", page)
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    of_bob = await bob.connect()
    async with serve_stub(app) as site:
        message = await ada.say(direct, f"see {site}/tides")

        shown = await of_bob.wait_for("message:updated")
        path = f"/v1/conversations/{direct}/messages/{message['id']}"
        synced = await of_bob.call("sync", {"cursors": {direct: message["change_seq"]}})
        edited = await ada.patch(path, {"body": f"see {site}/currents"})
        shown_again = await of_bob.wait_for("message:updated", lambda payload: payload["change_seq"] == 5)

    preview = {"url": f"{site}/tides", "title": "Tides", "description": "Of the North Sea", "image_url": None}
    assert shown == message | {"previews": [preview], "change_seq": message["change_seq"] + 1}
    assert synced["conversations"][direct]["messages"] == [shown]
    assert (edited["previews"], edited["change_seq"]) == ([], 4)
    assert shown_again == edited | {"previews": [preview | {"url": f"{site}/currents"}], "change_seq": 5}
    await ada.delete(path)
    assert (await of_bob.wait_for("message:deleted"))["previews"] == []
