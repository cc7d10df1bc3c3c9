"""The developer's side: what was pushed, as a page and as JSON."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, HTMLResponse

from synctalk_fcm import page
from synctalk_fcm.inbox import Inbox

router = APIRouter(prefix="/dev/push", tags=["dev"])


@router.get("", summary="A page that shows what was pushed", response_class=HTMLResponse)
async def show_page(request: Request, token: str | None = None) -> HTMLResponse:
    inbox: Inbox = request.app.state.inbox
    return HTMLResponse(page.render(inbox.messages(token or None), token or ""), headers={"Cache-Control": "no-store"})


@router.get("/style.css", summary="The page's style", response_class=FileResponse)
async def show_style() -> FileResponse:
    return FileResponse(page.STYLE, media_type="text/css")


@router.get("/messages", summary="What was pushed, oldest first")
async def list_messages(request: Request, token: str | None = None) -> dict[str, Any]:
    inbox: Inbox = request.app.state.inbox
    return {"items": [received.to_json() for received in inbox.messages(token)]}


@router.delete("/messages", summary="Forget what was pushed", status_code=204)
async def clear_messages(request: Request) -> Response:
    inbox: Inbox = request.app.state.inbox
    inbox.clear()
    return Response(status_code=204)
