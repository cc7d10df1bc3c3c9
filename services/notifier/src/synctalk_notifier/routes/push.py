"""`/v1/push`: what a browser needs before it subscribes."""

from fastapi import APIRouter
from synctalk_contracts.base import Contract
from synctalk_contracts.errors import ErrorCode
from synctalk_runtime.errors import NotFoundError
from synctalk_runtime.openapi import refusals

from synctalk_notifier.routes.dependencies import CurrentServices

router = APIRouter(prefix="/v1/push", tags=["devices"])


class VapidKey(Contract):
    public_key: str
    """An uncompressed point on P-256 in base64url: the `applicationServerKey` of a subscription."""


@router.get("/vapid-key", summary="Get the key that browsers subscribe with", responses=refusals(ErrorCode.NOT_FOUND))
async def get_vapid_key(services: CurrentServices) -> VapidKey:
    """Needs no token. Not found where Web Push is off."""
    if services.vapid_key is None:
        raise NotFoundError
    return VapidKey(public_key=services.vapid_key)
