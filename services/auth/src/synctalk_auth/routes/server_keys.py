"""`/v1/server/keys`: the keys that a host app's backend calls with."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import AwareDatetime, Field
from synctalk_contracts.base import Contract, Request
from synctalk_contracts.errors import ErrorCode
from synctalk_contracts.ids import Id, Timestamp
from synctalk_contracts.models import Scope
from synctalk_contracts.text import Title
from synctalk_runtime.credentials import ServerKey
from synctalk_runtime.openapi import BEARER, BODY, refusals
from synctalk_runtime.tokens import requires

from synctalk_auth.routes.dependencies import ServicesDep

router = APIRouter(prefix="/v1/server/keys", tags=["server"])

WithKeys = Annotated[ServerKey, Depends(requires(Scope.KEYS))]


class NewServerKey(Request):
    name: Title
    scopes: Annotated[list[Annotated[Scope, Field(strict=False)]], Field(min_length=1, max_length=len(Scope))]
    expires_at: Annotated[AwareDatetime, Field(strict=False)] | None = None


class CreatedKey(Contract):
    id: Id
    key: str
    """Shown only here."""


class ListedKey(Contract):
    id: Id
    name: str
    scopes: list[str]
    created_at: Timestamp
    expires_at: Timestamp | None
    last_used_at: Timestamp | None
    """To the minute."""


class KeyList(Contract):
    items: list[ListedKey]
    next_cursor: None = None
    """There is one page."""


@router.post(
    "",
    status_code=201,
    summary="Make a server key",
    responses=refusals(*BODY, *BEARER, ErrorCode.FORBIDDEN, ErrorCode.CONFLICT),
)
async def post_server_key(body: NewServerKey, by: WithKeys, services: ServicesDep) -> CreatedKey:
    key_id, text = await services.server_keys.create(body.name, body.scopes, body.expires_at, by)
    return CreatedKey(id=key_id, key=text)


@router.get("", summary="List the server keys", responses=refusals(*BEARER, ErrorCode.FORBIDDEN))
async def get_server_keys(_: WithKeys, services: ServicesDep) -> KeyList:
    items = [
        ListedKey(
            id=row.id,
            name=row.name,
            scopes=row.scopes,
            created_at=row.created_at,
            expires_at=row.expires_at,
            last_used_at=row.last_used_at,
        )
        for row in await services.server_keys.all()
    ]
    return KeyList(items=items)


@router.delete(
    "/{key_id}",
    status_code=204,
    summary="Revoke a server key",
    responses=refusals(*BEARER, ErrorCode.FORBIDDEN, ErrorCode.INVALID),
)
async def delete_server_key(_: WithKeys, services: ServicesDep, key_id: Annotated[Id, Path()]) -> None:
    await services.server_keys.revoke(key_id)
