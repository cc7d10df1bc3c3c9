"""`/v1/devices`: the caller's devices."""

from typing import Annotated, Self

from fastapi import APIRouter, Depends, Path
from pydantic import Field, model_validator
from synctalk_contracts.base import Contract, Request
from synctalk_contracts.errors import ErrorCode
from synctalk_contracts.models import Device
from synctalk_contracts.text import Text
from synctalk_runtime.openapi import refusals
from synctalk_runtime.tokens import CurrentPrincipal, no_bot

from synctalk_notifier.kinds import Platform, Subscription
from synctalk_notifier.routes.dependencies import ALWAYS, CurrentServices, limit_devices
from synctalk_notifier.rules import is_subscription_key

router = APIRouter(prefix="/v1/devices", tags=["devices"], dependencies=[Depends(no_bot), Depends(limit_devices)])

DeviceId = Annotated[str, Path(pattern=r"^[A-Za-z0-9._:~-]{1,128}$", description="The app's own id of the device.")]


Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+={0,2}$", max_length=128)]


class SubscriptionKeys(Request):
    p256dh: Key
    auth: Key

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if not is_subscription_key(self.p256dh, self.auth):
            raise ValueError("must be the keys of a Web Push subscription")
        return self


class GivenSubscription(Request):
    endpoint: Annotated[Text, Field(min_length=1, max_length=2048)]
    """An https URL of a public address."""
    keys: SubscriptionKeys


class PutDevice(Request):
    """Either `token` or, for `platform: web`, `subscription`."""

    platform: Platform
    token: Annotated[Text, Field(min_length=1, max_length=4096)] | None = None
    """FCM's registration token."""
    subscription: GivenSubscription | None = None
    """Of Web Push, as the browser gives it."""
    locale: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}$", max_length=35)] | None = None
    """The language that notifications are shown in, as in `de-AT`; English where it is not among ours."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.token is None) == (self.subscription is None):
            raise ValueError("must have either token or subscription")
        if self.subscription is not None and self.platform != "web":
            raise ValueError("must have platform web with a subscription")
        return self

    def where(self) -> str | Subscription:
        if self.subscription is None:
            assert self.token is not None
            return self.token
        keys = self.subscription.keys
        return Subscription(self.subscription.endpoint, keys.p256dh, keys.auth)


class Devices(Contract):
    items: list[Device]
    next_cursor: None = None
    """Always null: all devices fit on one page."""


@router.put(
    "/{device_id}",
    status_code=204,
    summary="Register a device, or update its token",
    responses=refusals(ErrorCode.MALFORMED, ErrorCode.TOO_LARGE, ErrorCode.CONFLICT, ErrorCode.FORBIDDEN, *ALWAYS),
)
async def put_device(
    device_id: DeviceId, body: PutDevice, principal: CurrentPrincipal, services: CurrentServices
) -> None:
    """The device belongs to the caller's session and is removed with it."""
    await services.devices.put(principal, device_id, body.platform, body.where(), body.locale)


@router.get("", summary="List the caller's devices", responses=refusals(*ALWAYS, ErrorCode.FORBIDDEN))
async def get_devices(principal: CurrentPrincipal, services: CurrentServices) -> Devices:
    return Devices(items=await services.devices.list_of(principal))


@router.delete(
    "/{device_id}", status_code=204, summary="Remove a device", responses=refusals(*ALWAYS, ErrorCode.FORBIDDEN)
)
async def delete_device(device_id: DeviceId, principal: CurrentPrincipal, services: CurrentServices) -> None:
    await services.devices.remove(principal, device_id)
