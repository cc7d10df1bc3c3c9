"""`/v1/server/users`: the users of a host app, by its own names for them.

An external id may hold a slash: it is all that stands between the prefix and, in a POST, the last `/token`.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, WithJsonSchema
from synctalk_contracts.base import Contract, Request
from synctalk_contracts.errors import ErrorCode
from synctalk_contracts.ids import ExternalId, Username
from synctalk_contracts.metadata import Metadata
from synctalk_contracts.models import EraseMode, Scope, ServerUser, Tokens
from synctalk_contracts.text import Name, PictureUrl
from synctalk_runtime.errors import AppError, InvalidError
from synctalk_runtime.openapi import BEARER, BODY, refusals
from synctalk_runtime.tokens import requires

from synctalk_auth.routes.dependencies import ServicesDep

router = APIRouter(prefix="/v1/server/users", tags=["server"])

WITH_USERS = Depends(requires(Scope.USERS))
WITH_TOKENS = Depends(requires(Scope.TOKENS))
BATCH_MAX = 100

InPath = Annotated[ExternalId, Path(description="What the host app calls the user, percent-encoded.")]


class PutUser(Request):
    """What is left out or null keeps its value, but `avatar_url: null` removes the picture."""

    display_name: Name | None = None
    avatar_url: PictureUrl | None = None
    username: Username | None = None
    metadata: Metadata | None = None
    private_metadata: Metadata | None = None

    def given(self) -> dict[str, Any]:
        fields = self.model_dump(exclude_unset=True, exclude={"external_id"})
        return {name: value for name, value in fields.items() if value is not None or name == "avatar_url"}


class PutUserOfBatch(PutUser):
    external_id: ExternalId


_WHOLE: TypeAdapter[PutUserOfBatch] = TypeAdapter(PutUserOfBatch)


class NamedUser(Request):
    """One of a batch. The rest is read by itself, so that one that is wrong stops no other."""

    model_config = ConfigDict(extra="allow")

    external_id: ExternalId


class PutUsers(Request):
    users: Annotated[
        list[Annotated[NamedUser, WithJsonSchema(PutUserOfBatch.model_json_schema())]],
        Field(min_length=1, max_length=BATCH_MAX),
    ]


class PutOutcome(Contract):
    """What became of one of a batch."""

    external_id: str


class UserPut(PutOutcome):
    user: ServerUser


class UserNotPut(PutOutcome):
    error: dict[str, Any]
    """As in an error body."""


class PutOutcomes(Contract):
    items: list[UserPut | UserNotPut]


@router.post(
    "",
    summary="Make or change up to 100 users, each with its own outcome",
    dependencies=[WITH_USERS],
    responses=refusals(*BODY, *BEARER, ErrorCode.FORBIDDEN),
)
async def post_server_users(body: PutUsers, services: ServicesDep) -> PutOutcomes:
    items = [(one.external_id, _fields_of(one)) for one in body.users]
    outcomes = await services.server_users.put_all(items)
    return PutOutcomes(
        items=[_outcome(name, outcome) for (name, _), outcome in zip(items, outcomes, strict=True)],
    )


@router.post(
    "/{external_id:path}/token",
    summary="Get tokens for a user, for hosts without JWTs of their own",
    dependencies=[WITH_TOKENS],
    responses=refusals(*BEARER, ErrorCode.FORBIDDEN, ErrorCode.NOT_FOUND, ErrorCode.INVALID),
)
async def post_user_token(external_id: InPath, services: ServicesDep) -> Tokens:
    return await services.server_users.open_session(external_id)


@router.put(
    "/{external_id:path}",
    summary="Make or change a user, or bring back one who was deactivated",
    dependencies=[WITH_USERS],
    responses=refusals(*BODY, *BEARER, ErrorCode.FORBIDDEN, ErrorCode.USERNAME_TAKEN)
    | {201: {"model": ServerUser, "description": "The user is new."}},
)
async def put_server_user(external_id: InPath, body: PutUser, services: ServicesDep, response: Response) -> ServerUser:
    user, is_new = await services.server_users.put(external_id, body.given())
    response.status_code = 201 if is_new else 200
    return user


@router.get(
    "/{external_id:path}",
    summary="Get a user, also one who is deactivated or erased",
    dependencies=[WITH_USERS],
    responses=refusals(*BEARER, ErrorCode.FORBIDDEN, ErrorCode.NOT_FOUND, ErrorCode.INVALID),
)
async def get_server_user(external_id: InPath, services: ServicesDep) -> ServerUser:
    return await services.server_users.get(external_id)


@router.delete(
    "/{external_id:path}",
    status_code=204,
    summary="Deactivate a user, end the sessions, and erase the messages or their author",
    dependencies=[WITH_USERS],
    responses=refusals(*BEARER, ErrorCode.FORBIDDEN, ErrorCode.NOT_FOUND, ErrorCode.INVALID),
)
async def delete_server_user(
    external_id: InPath, services: ServicesDep, erase: Annotated[EraseMode | None, Query()] = None
) -> None:
    await services.server_users.remove(external_id, erase)


def _fields_of(named: NamedUser) -> dict[str, Any] | AppError:
    try:
        return _WHOLE.validate_python(named.model_dump()).given()
    except ValidationError as error:
        return InvalidError.from_validation(error)


def _outcome(external_id: str, outcome: ServerUser | AppError) -> UserPut | UserNotPut:
    if isinstance(outcome, AppError):
        return UserNotPut(external_id=external_id, error=outcome.body()["error"])
    return UserPut(external_id=external_id, user=outcome)
