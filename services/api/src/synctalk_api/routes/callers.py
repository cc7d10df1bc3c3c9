"""Who calls where a server key may call without a user: the user, or None for the key itself. Each call is counted."""

from collections.abc import Awaitable, Callable
from operator import attrgetter
from typing import Annotated

from fastapi import Depends, Request
from synctalk_contracts.models import Scope
from synctalk_runtime.credentials import ServerKey
from synctalk_runtime.limits import Limit
from synctalk_runtime.tokens import Principal, acts_by_itself, current_principal, requires

from synctalk_api.routes.dependencies import ServicesDep, UserLimits

LimitOf = Callable[[UserLimits], Limit]


def key_with(scope: Scope) -> Callable[[Request, ServicesDep], Awaitable[ServerKey]]:
    """Return the dependency of a route for server keys with the scope."""
    required = requires(scope)

    async def key(request: Request, services: ServicesDep) -> ServerKey:
        found = await required(request)
        await services.limiter.take(services.limits.by_key, found.id)
        return found

    return key


def user_or_key(scope: Scope, limit_of: LimitOf) -> Callable[[Request, ServicesDep], Awaitable[Principal | None]]:
    """Return the dependency of a route for users, by a limit of theirs, and for server keys with the scope."""
    key = key_with(scope)

    async def caller(request: Request, services: ServicesDep) -> Principal | None:
        if acts_by_itself(request):
            await key(request, services)
            return None
        principal = await current_principal(request)
        await services.limiter.take(limit_of(services.limits), principal.user_id)
        return principal

    return caller


def _id_or_key(scope: Scope, limit_of: LimitOf) -> Callable[[Request, ServicesDep], Awaitable[str | None]]:
    """Return the same for who has to know the user's id only."""
    caller = user_or_key(scope, limit_of)

    async def caller_id(request: Request, services: ServicesDep) -> str | None:
        principal = await caller(request, services)
        return None if principal is None else principal.user_id

    return caller_id


_READING: LimitOf = attrgetter("reading")
_WRITING: LimitOf = attrgetter("writing")

ReaderOfUsers = Annotated[Principal | None, Depends(user_or_key(Scope.USERS, _READING))]
ReaderOfConversations = Annotated[str | None, Depends(_id_or_key(Scope.CONVERSATIONS, _READING))]
ReaderOfMessages = Annotated[str | None, Depends(_id_or_key(Scope.MESSAGES, _READING))]
WriterOfMessages = Annotated[str | None, Depends(_id_or_key(Scope.MESSAGES, _WRITING))]
CONVERSATIONS_KEY = Depends(key_with(Scope.CONVERSATIONS))
MessagesKey = Annotated[ServerKey, Depends(key_with(Scope.MESSAGES))]
