"""Files: announce, complete, look at, read."""

from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, RedirectResponse, Response
from pydantic import Field, StringConstraints
from synctalk_contracts import base
from synctalk_contracts.ids import Id, Timestamp
from synctalk_contracts.models import File
from synctalk_contracts.text import FileName
from synctalk_runtime.tokens import CurrentPrincipal

from synctalk_api.actions.files import Served
from synctalk_api.routes.dependencies import READING, UPLOADING, WRITING, ServicesDep
from synctalk_api.routes.shapes import refusals

router = APIRouter(tags=["files"])

SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
"""Whatever is in a file, nothing of it runs with the rights of this origin."""
_PRIVATE = "private, max-age=240"
_PUBLIC = "public, max-age=240"
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The bytes; `Range` works.", "content": {"application/octet-stream": {}}},
    302: {"description": "The address of the bytes, without a token, for 5 minutes."},
}


class NewFile(base.Request):
    name: FileName
    size: Annotated[int, Field(ge=1, le=2**53)]
    content_type: Annotated[
        str, StringConstraints(pattern=r"^[A-Za-z0-9!#$&^_.+-]{1,63}/[A-Za-z0-9!#$&^_.+-]{1,63}$", to_lower=True)
    ]
    purpose: Literal["message", "avatar"] = "message"


class UploadRequest(base.Contract):
    """The one request by which the bytes are sent."""

    method: Literal["PUT"]
    url: str
    headers: dict[str, str]
    expires_at: Timestamp


class AnnouncedFile(base.Contract):
    file: File
    upload: UploadRequest


@router.post("/v1/files", status_code=201, dependencies=[WRITING, UPLOADING], responses=refusals(400, 413))
async def announce_file(
    new: NewFile, principal: CurrentPrincipal, services: ServicesDep, request: Request
) -> AnnouncedFile:
    """Announce a file, and get the request by which its bytes are to be sent."""
    file, upload = await services.files.announce(principal.user_id, new.purpose, new.name, new.size, new.content_type)
    url = _origin(request) + upload.url if upload.url.startswith("/") else upload.url
    return AnnouncedFile(
        file=file,
        upload=UploadRequest(method="PUT", url=url, headers=upload.headers, expires_at=upload.expires_at),
    )


@router.post("/v1/files/{file_id}/complete", dependencies=[WRITING], responses=refusals(404))
async def complete_file(file_id: Id, principal: CurrentPrincipal, services: ServicesDep) -> File:
    """Check what was uploaded. A file that does not fit what was announced stays refused."""
    return await services.files.complete(principal.user_id, file_id)


@router.get("/v1/files/{file_id}", dependencies=[READING], responses=refusals(404))
async def get_file(file_id: Id, principal: CurrentPrincipal, services: ServicesDep) -> File:
    """Get a file."""
    return await services.files.get(principal.user_id, file_id)


@router.get(
    "/v1/files/{file_id}/content",
    dependencies=[READING],
    response_class=Response,
    responses={**_BYTES, **refusals(404)},
)
async def get_content(file_id: Id, principal: CurrentPrincipal, services: ServicesDep) -> Response:
    """Read a file."""
    return _response(await services.files.content(principal.user_id, file_id), _PRIVATE)


@router.get(
    "/v1/files/{file_id}/thumbnail",
    dependencies=[READING],
    response_class=Response,
    responses={**_BYTES, **refusals(404)},
)
async def get_thumbnail(
    file_id: Id,
    principal: CurrentPrincipal,
    services: ServicesDep,
    size: Annotated[Literal["64", "360", "1280"], Query()] = "360",
) -> Response:
    """Read a picture made smaller, as WebP; `size` is its longer side."""
    return _response(await services.files.thumbnail(principal.user_id, file_id, int(size)), _PRIVATE)


@router.get("/v1/avatars/{file_id}", response_class=Response, responses={**_BYTES, **refusals(404)})
async def get_avatar(file_id: Id, services: ServicesDep) -> Response:
    """Read an uploaded avatar; no token is needed."""
    return _response(await services.files.avatar(file_id), _PUBLIC)


def _response(served: Served, cache_control: str) -> Response:
    headers = SAFE | {"Cache-Control": cache_control}
    if not isinstance(served.location, Path):
        return RedirectResponse(served.location, status_code=302, headers=headers)
    headers["Content-Disposition"] = served.disposition
    return FileResponse(served.location, media_type=served.content_type, headers=headers)


def _origin(request: Request) -> str:
    """Return the origin that the client has called, as the edge names it."""
    host = request.headers.get("x-forwarded-host") or request.headers.get("host", "")
    scheme = request.headers.get("x-forwarded-proto") or request.url.scheme
    return f"{scheme}://{host}"
