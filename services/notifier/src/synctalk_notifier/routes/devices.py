"""`/v1/devices`: where the caller is reached."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field
from synctalk_contracts.base import Contract, Request
from synctalk_contracts.errors import ErrorCode
from synctalk_contracts.ids import Text
from synctalk_contracts.models import Device
from synctalk_runtime.tokens import CurrentPerson

from synctalk_notifier.actions import devices
from synctalk_notifier.kinds import Platform
from synctalk_notifier.routes.dependencies import BODY, TheParts, refusals

router = APIRouter(prefix="/v1/devices", tags=["devices"])

DeviceId = Annotated[str, Path(pattern=r"^[A-Za-z0-9._:~-]{1,128}$", description="The app's own name for the device.")]


class PutDevice(Request):
    platform: Platform
    token: Annotated[Text, Field(min_length=1, max_length=4096)]
    """FCM's registration token."""


class Devices(Contract):
    items: list[Device]
    next_cursor: None = None
    """Always null: all of them fit on one page."""


@router.put(
    "/{device_id}",
    status_code=204,
    summary="Register the device, or renew its token",
    responses=refusals(*BODY, ErrorCode.CONFLICT),
)
async def put_device(device_id: DeviceId, body: PutDevice, person: CurrentPerson, parts: TheParts) -> None:
    """It belongs to the session that put it, and goes with it."""
    await devices.put(parts, person, device_id, body.platform, body.token)


@router.get("", summary="The caller's devices", responses=refusals())
async def get_devices(person: CurrentPerson, parts: TheParts) -> Devices:
    return Devices(items=await devices.list_own(parts, person))


@router.delete("/{device_id}", status_code=204, summary="Forget the device", responses=refusals())
async def delete_device(device_id: DeviceId, person: CurrentPerson, parts: TheParts) -> None:
    await devices.remove(parts, person, device_id)
