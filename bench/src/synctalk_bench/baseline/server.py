"""A chat server in one file: python-socketio on uvicorn, asyncpg, nothing else. What the load is compared with.

It does what any such server must do: the token is checked at connect, the rooms are those of the database, a message is
stored before it is acked, and then emitted to the room. All settings are the libraries' own; there is no second
process, no broker, no limit, no proxy in front.
"""

import os
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import jwt
import socketio
import uvicorn

SECRET = os.environ["JWT_SECRET"]

sio = socketio.AsyncServer(async_mode="asgi")
pool: asyncpg.Pool


async def start() -> None:
    global pool  # noqa: PLW0603
    pool = await asyncpg.create_pool(os.environ["DATABASE_URL"])


async def stop() -> None:
    await pool.close()


@sio.event  # type: ignore[untyped-decorator]
async def connect(sid: str, environ: dict[str, Any], auth: dict[str, Any] | None) -> None:
    try:
        claims = jwt.decode((auth or {})["token"], SECRET, algorithms=["HS256"])
    except (KeyError, jwt.InvalidTokenError):
        raise socketio.exceptions.ConnectionRefusedError("unauthenticated") from None
    user_id = claims["sub"]
    await sio.save_session(sid, {"user_id": user_id})
    conversations = await pool.fetch(
        "select c.id::text, c.last_seq, c.last_seq as change_seq"
        " from members m join conversations c on c.id = m.conversation_id where m.user_id = $1",
        user_id,
    )
    for conversation in conversations:
        await sio.enter_room(sid, conversation["id"])
    await sio.emit(
        "ready", {"user_id": user_id, "conversations": [dict(conversation) for conversation in conversations]}, to=sid
    )


@sio.on("message:send")  # type: ignore[untyped-decorator]
async def message_send(sid: str, data: dict[str, Any]) -> dict[str, Any]:
    session = await sio.get_session(sid)
    message = await store(session["user_id"], data)
    if message is None:
        return {"ok": False, "error": {"code": "not_found"}}
    await sio.emit("message:new", message, room=message["conversation_id"], skip_sid=sid)
    return {"ok": True, "message": message}


async def store(user_id: str, data: dict[str, Any]) -> dict[str, Any] | None:
    """The message as it was committed; None when the sender is no member."""
    conversation_id, created_at, message_id = data["conversation_id"], datetime.now(UTC), str(uuid4())
    async with pool.acquire() as connection, connection.transaction():
        seq = await connection.fetchval(
            "update conversations set last_seq = last_seq + 1 where id = $1"
            " and exists (select from members where conversation_id = $1 and user_id = $2) returning last_seq",
            conversation_id,
            user_id,
        )
        if seq is None:
            return None
        await connection.execute(
            "insert into messages (id, conversation_id, seq, sender_id, client_message_id, body, created_at)"
            " values ($1, $2, $3, $4, $5, $6, $7)",
            message_id,
            conversation_id,
            seq,
            user_id,
            data["client_message_id"],
            data["body"],
            created_at,
        )
    return {
        "id": message_id,
        "conversation_id": conversation_id,
        "seq": seq,
        "change_seq": seq,
        "sender_id": user_id,
        "client_message_id": data["client_message_id"],
        "body": data["body"],
        "reply_to": None,
        "reactions": {},
        "mentions": [],
        "created_at": created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "edited_at": None,
        "deleted_at": None,
    }


app = socketio.ASGIApp(sio, on_startup=start, on_shutdown=stop)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]))
