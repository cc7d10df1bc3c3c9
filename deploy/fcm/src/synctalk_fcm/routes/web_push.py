"""A push service of browsers: takes what is sent to a subscription's endpoint, and keeps it as it came."""

import asyncio
import base64
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from synctalk_runtime.ids import utc_now

from synctalk_fcm.behaviours import web_push_answer_for
from synctalk_fcm.inbox import Inbox, Received
from synctalk_fcm.settings import FcmSettings

router = APIRouter(prefix="/dev/webpush", tags=["dev"])

MAX_BODY_BYTES = 4096
Token = Annotated[str, Path(pattern=r"^[A-Za-z0-9._~-]{1,256}$")]


@router.post("/{token}", summary="Take a push, as the push service of a browser does")
async def take(token: Token, request: Request) -> Response:
    """By the token's beginning it fails as push services do."""
    received_at, body = utc_now(), await request.body()
    inbox: Inbox = request.app.state.inbox
    settings: FcmSettings = request.app.state.settings
    if "ttl" not in request.headers or not request.headers.get("authorization", "").startswith("vapid "):
        return Response(status_code=400 if "ttl" not in request.headers else 401)
    if len(body) > MAX_BODY_BYTES:
        return Response(status_code=413)
    answer = web_push_answer_for(token, inbox.count_send(token), settings.fcm_slow_s)
    await asyncio.sleep(answer.after_s)
    encoded = base64.b64encode(body).decode()
    inbox.add(Received(token, received_at, answer.status, {}, dict(request.headers), encoded))
    return Response(status_code=answer.status, headers=answer.headers)
