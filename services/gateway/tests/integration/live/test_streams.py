"""Streamed messages on sockets: what a writer sends reaches api in order, and deltas reach the readers."""

from typing import TYPE_CHECKING, Any

from synctalk_contracts import topology
from synctalk_contracts.commands import AppendToStream, EndStream, StartStream
from synctalk_runtime.ids import new_id

if TYPE_CHECKING:
    from services.gateway.tests.integration.live.conftest import Live

ADA, BOB = new_id(), new_id()


def delta(conversation_id: str, origin: str | None, at: int) -> dict[str, Any]:
    payload = {"conversation_id": conversation_id, "message_id": new_id(), "at": at, "text": "so "}
    return {"event": "message:delta", "change_seq": None, "origin": origin, "user_id": ADA, "payload": payload}


async def test_stream__of_a_socket__is_sent_to_api_in_order(live: "Live") -> None:
    group = live.upstreams.conversation(ADA, BOB)
    ada = await live.connect(ADA)
    message_id = new_id()
    here = {"conversation_id": group, "message_id": message_id}
    await ada.done("message:stream:start", {"conversation_id": group, "client_message_id": "a"})
    for n in range(3):
        await ada.done("message:stream:append", here | {"at": n, "text": "x"})
    await ada.done("message:stream:end", here | {"body": "xxx"})
    commands = [request.command for batch in live.upstreams.batches for request in batch.requests]

    by_ada = {"conversation_id": group, "user_id": ADA}
    assert commands == [
        StartStream(**by_ada, client_message_id="a"),
        *(AppendToStream(**by_ada, message_id=message_id, at=n, text="x") for n in range(3)),
        EndStream(**by_ada, message_id=message_id, body="xxx"),
    ]


async def test_appends__beyond_their_own_limit__are_refused_and_messages_are_not(live: "Live") -> None:
    await live.start(stream_rate_per_s=0.01, stream_burst=2)
    writer = new_id()  # of whose limit the other tests have taken nothing
    group = live.upstreams.conversation(writer)
    ada = await live.connect(writer, 1)
    append = {"conversation_id": group, "message_id": new_id(), "at": 0, "text": "x"}
    for _ in range(2):
        await ada.done("message:stream:append", append)
    refused = await ada.refusal("message:stream:append", append)
    await ada.done("message:send", {"conversation_id": group, "client_message_id": "a", "body": "so"})

    assert (refused["code"], refused["details"]) == ("rate_limited", {"limit": "stream"})


async def test_delta__reaches_the_readers_and_the_writers_other_sockets(live: "Live") -> None:
    group = live.upstreams.conversation(ADA, BOB)
    ada, beside, bob = await live.connect(ADA), await live.connect(ADA), await live.connect(BOB)
    sent = delta(group, ada.of("ready")[0]["connection_id"], 3)
    await live.upstreams.publish_on(topology.conversation_channel(group), {"events": [sent]})
    await bob.receive("message:delta", sent["payload"])
    await beside.receive("message:delta", sent["payload"])
    await live.upstreams.send(group, BOB)
    await ada.wait_for("message:new")

    assert ada.of("message:delta") == []
