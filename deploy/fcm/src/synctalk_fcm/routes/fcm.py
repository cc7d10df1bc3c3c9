"""FCM's side: the token endpoint and `messages:send`, as the real client calls them."""

import asyncio
import secrets
from typing import Any
from urllib.parse import parse_qs

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from synctalk_runtime.ids import utc_now

from synctalk_fcm.behaviours import Answer, answer_for, google_error
from synctalk_fcm.inbox import Inbox, Received
from synctalk_fcm.settings import FcmSettings
from synctalk_fcm.shape import problem_with, target_of
from synctalk_fcm.tokens import LIFETIME_S, AccessTokens, AssertionRefusedError

router = APIRouter(tags=["fcm"])


@router.post("/token", summary="Change a signed assertion for an access token")
async def issue_token(request: Request) -> JSONResponse:
    form = parse_qs((await request.body()).decode("utf-8", "replace"))
    tokens: AccessTokens = request.app.state.tokens
    try:
        token = tokens.issue(form.get("grant_type", [""])[0], form.get("assertion", [""])[0])
    except AssertionRefusedError as error:
        return JSONResponse({"error": "invalid_grant", "error_description": str(error)}, status_code=400)
    return JSONResponse({"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME_S})


@router.post("/v1/projects/{project}/messages:send", summary="Send a message to a device")
async def send(project: str, request: Request) -> JSONResponse:
    """Answers as FCM does; by the token's beginning it fails as FCM does."""
    received_at = utc_now()
    tokens: AccessTokens = request.app.state.tokens
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not tokens.is_valid(bearer.strip()):
        return JSONResponse(google_error(401, "UNAUTHENTICATED", "Invalid credentials."), status_code=401)
    body = await _json(request)
    refused = problem_with(body)
    if refused is not None:
        return await _answer(refused)
    message = body["message"]
    target = target_of(message) or ""
    inbox: Inbox = request.app.state.inbox
    settings: FcmSettings = request.app.state.settings
    name = f"projects/{project}/messages/{secrets.token_hex(16)}"
    answer = answer_for(target, inbox.count_send(target), name, settings.fcm_slow_s)
    response = await _answer(answer)
    if not body.get("validate_only"):
        inbox.add(Received(target, received_at, answer.status, message))
    return response


async def _json(request: Request) -> Any:
    try:
        return orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        return None


async def _answer(answer: Answer) -> JSONResponse:
    await asyncio.sleep(answer.after_s)
    return JSONResponse(answer.body, status_code=answer.status, headers=answer.headers)
