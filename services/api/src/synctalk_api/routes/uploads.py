"""Uploads into the local folder: the edge writes them, and asks here whether it may."""

from typing import Annotated

from fastapi import APIRouter, Header
from synctalk_contracts.ids import Id

from synctalk_api.routes.dependencies import ServicesDep
from synctalk_api.routes.shapes import refusals

router = APIRouter(prefix="/v1/uploads", tags=["files"], include_in_schema=False)


@router.get("/{file_id}", status_code=204, responses=refusals(403))
async def check_upload(
    file_id: Id,
    services: ServicesDep,
    size: str = "",
    expires: str = "",
    signature: str = "",
    x_upload_length: Annotated[str, Header()] = "",
) -> None:
    """Return whether the bytes may be sent to this address; no token is needed.

    Whatever is wrong is forbidden: nginx passes no other refusal on.
    """
    await services.files.check_upload(file_id, size, expires, signature, x_upload_length)
