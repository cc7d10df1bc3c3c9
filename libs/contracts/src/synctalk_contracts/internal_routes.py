"""The routes of the services for each other, below `/internal`, with those that may ask each one.

Their bodies and answers are in `internal.py`; docs/internal-routes.md is made of this.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InternalRoute:
    """A route of a service for other services."""

    service: str
    """Who answers."""
    method: str
    path: str
    callers: tuple[str, ...]
    """Who may ask; for all others the route does not exist."""
    exchange: str
    """The body, what is answered, and what it is for."""


_VERIFIERS = ("api", "gateway", "presence", "notifier")
"""Whoever verifies access tokens follows the revocations."""

ROUTES = (
    InternalRoute("auth", "GET", "/internal/revocations", _VERIFIERS, "→ `[SessionRevoked]` that still matter"),
    InternalRoute(
        "auth", "GET", "/internal/revocations/changes", _VERIFIERS, "`cursor` → `RevocationPage`: those since that page"
    ),
    InternalRoute("auth", "POST", "/internal/users", ("api",), "`Ids` → `Users`, unknown ones left out"),
    InternalRoute("auth", "POST", "/internal/credentials/key", _VERIFIERS, "`KeyQuestion` → `KnownKey`, or 404"),
    InternalRoute("auth", "POST", "/internal/credentials/bot", _VERIFIERS, "`KeyQuestion` → `KnownBot`, or 404"),
    InternalRoute("auth", "POST", "/internal/credentials/user", _VERIFIERS, "`ActingQuestion` → `ActingUser`, or 404"),
    InternalRoute(
        "auth",
        "POST",
        "/internal/directory",
        _VERIFIERS,
        "`UsersQuestion` → `KnownUsers`, unknown ones left out: users by the host app's names, or what it calls them",
    ),
    InternalRoute("api", "PUT", "/internal/users/{user_id}", ("auth",), "`User` → 204: a user just registered"),
    InternalRoute(
        "api", "POST", "/internal/users/profile", ("auth",), "`ProfileProvided` → 204: what a host app calls a user"
    ),
    InternalRoute("api", "GET", "/internal/users/{user_id}", ("auth",), "→ `User`, or 404"),
    InternalRoute(
        "api",
        "POST",
        "/internal/guests/forget",
        ("auth",),
        "`Ids` → `Ids`: guests that are and were in no conversation, and are known no more",
    ),
    InternalRoute(
        "api",
        "POST",
        "/internal/invites/use",
        ("auth",),
        "`InviteUse` → 204: a use for a user who is about to register, or 404",
    ),
    InternalRoute(
        "api",
        "GET",
        "/internal/users/{user_id}/conversations",
        ("gateway",),
        "`limit` → `ConversationStates`, newest activity first",
    ),
    InternalRoute(
        "api",
        "GET",
        "/internal/users/{user_id}/conversation-ids",
        ("gateway",),
        "`before`, `limit` → `Ids`, the highest first",
    ),
    InternalRoute(
        "api",
        "POST",
        "/internal/states",
        ("gateway",),
        "`StatesQuestion` → `ConversationStates`: those of these that the user is in",
    ),
    InternalRoute(
        "api", "POST", "/internal/heads", ("gateway",), "`Ids` → `Heads`: how far these conversations have got"
    ),
    InternalRoute("api", "GET", "/internal/partitions", ("gateway",), "→ `PartitionMap`: the queues of commands"),
    InternalRoute(
        "api", "POST", "/internal/room", ("gateway",), "`RoomQuestion` → `RoomState`: who of these is still a member"
    ),
    InternalRoute("api", "POST", "/internal/sync", ("gateway",), "`SyncQuestion` → `SyncAnswer`"),
    InternalRoute(
        "api",
        "POST",
        "/internal/views",
        ("gateway",),
        "`ViewsQuestion` → `ConversationViews`: a large group as these of its members see it",
    ),
    InternalRoute(
        "api",
        "POST",
        "/internal/typing",
        ("gateway",),
        "`TypingQuestion` → `TypingState`: whether a member may type there, and among how many",
    ),
    InternalRoute(
        "api",
        "POST",
        "/internal/contacts",
        ("presence",),
        "`ContactsQuestion` → `SharedWith`: those who share a conversation",
    ),
    InternalRoute(
        "api", "POST", "/internal/pushes", ("notifier",), "`PushQuestions` → `PushAnswers`, in the order asked"
    ),
    InternalRoute(
        "api",
        "POST",
        "/internal/threads/followers",
        ("notifier",),
        "`ThreadsQuestion` → `ThreadFollowers`: who follows these threads",
    ),
    InternalRoute(
        "api",
        "POST",
        "/internal/previews",
        ("notifier",),
        "`PreviewsMade` → 204: shown if the message still has these links",
    ),
    InternalRoute(
        "api",
        "GET",
        "/internal/memberships",
        ("notifier",),
        "`after`, `limit` → `MembershipPage`: all of them, to build a copy anew",
    ),
    InternalRoute(
        "api",
        "POST",
        "/internal/conversations/named",
        ("notifier",),
        "`NameQuestion` → `NamedConversation`: the conversation that a host app calls so, or 404",
    ),
    InternalRoute("presence", "POST", "/internal/presence/leases", ("gateway",), "`LeaseReport` → 204"),
    InternalRoute(
        "presence",
        "POST",
        "/internal/presence/snapshot",
        ("gateway",),
        "`PresenceQuestion` → `PresenceSnapshot`, in the order asked",
    ),
    InternalRoute(
        "presence", "PUT", "/internal/presence/{user_id}", ("gateway",), "`PresenceSet` of the interface → 204"
    ),
    InternalRoute(
        "presence",
        "POST",
        "/internal/presence/active",
        ("notifier",),
        "`Ids` → `ActiveUsers`: those who are connected and active, and those at `dnd`",
    ),
)


def callers_in(routes: Iterable[InternalRoute]) -> tuple[str, ...]:
    """Return the services that may ask any of the routes, in alphabetical order."""
    return tuple(sorted({caller for route in routes for caller in route.callers}))


def callers_of(service: str) -> tuple[str, ...]:
    """Return the services that may call this one, in alphabetical order."""
    return callers_in(route for route in ROUTES if route.service == service)
