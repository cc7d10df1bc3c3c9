"""`/v1/devices`: the caller's devices."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import Field
from synctalk_contracts.base import Contract, Request
from synctalk_contracts.errors import ErrorCode
from synctalk_contracts.models import Device
from synctalk_contracts.text import Text
from synctalk_runtime.openapi import refusals
from synctalk_runtime.tokens import CurrentPrincipal

from synctalk_notifier.kinds import Platform
from synctalk_notifier.routes.dependencies import ALWAYS, CurrentServices, limit_devices

router = APIRouter(prefix="/v1/devices", tags=["devices"], dependencies=[Depends(limit_devices)])

DeviceId = Annotated[str, Path(pattern=r"^[A-Za-z0-9._:~-]{1,128}$", description="The app's own id of the device.")]


class PutDevice(Request):
    platform: Platform
    token: Annotated[Text, Field(min_length=1, max_length=4096)]
    """FCM's registration token."""


class Devices(Contract):
    items: list[Device]
    next_cursor: None = None
    """Always null: all devices fit on one page."""


@router.put(
    "/{device_id}",
    status_code=204,
    summary="Register a device, or update its token",
    responses=refusals(ErrorCode.MALFORMED, ErrorCode.TOO_LARGE, ErrorCode.CONFLICT, *ALWAYS),
)
async def put_device(
    device_id: DeviceId, body: PutDevice, principal: CurrentPrincipal, services: CurrentServices
) -> None:
    """The device belongs to the caller's session and is removed with it."""
    await services.devices.put(principal, device_id, body.platform, body.token)


@router.get("", summary="List the caller's devices", responses=refusals(*ALWAYS))
async def get_devices(principal: CurrentPrincipal, services: CurrentServices) -> Devices:
    return Devices(items=await services.devices.list_of(principal))


@router.delete("/{device_id}", status_code=204, summary="Remove a device", responses=refusals(*ALWAYS))
async def delete_device(device_id: DeviceId, principal: CurrentPrincipal, services: CurrentServices) -> None:
    await services.devices.remove(principal, device_id)
