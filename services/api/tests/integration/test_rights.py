"""The rights, row by row, by real calls: each operation by each role, by an outsider and in a direct conversation.

Each route and each socket command that names a conversation stands here with the row that decides about it. One that
doesn't fails the last tests.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from synctalk_api.rights import RIGHTS, Operation, depends_on_other, may, may_to
from synctalk_api.routes import ROUTERS
from synctalk_api.rules import DIRECT, GROUP
from synctalk_contracts.commands import DeleteMessage, SendMessage
from synctalk_contracts.models import Role
from synctalk_contracts.sockets import TO_SERVER
from synctalk_runtime.ids import new_id

from services.api.tests.integration.conftest import Api, Json, User

FUTURE = "2199-01-01T00:00:00.000Z"
Calls = list[tuple[str, str, Json | None]]

MEMBER = "every member"
"""About oneself, or reading: no row decides."""
OUTSIDE = "who is no member yet"

ROUTES: dict[str, Operation | str] = {
    "GET": MEMBER,
    "PATCH": Operation.CHANGE_DETAILS,
    "DELETE": Operation.DELETE_GROUP,
    "PUT /archive": Operation.ARCHIVE,
    "DELETE /archive": Operation.ARCHIVE,
    "POST /join": OUTSIDE,
    "GET /members": MEMBER,
    "POST /members": Operation.ADD_MEMBERS,
    "PATCH /members/{user_id}": Operation.SET_ROLES,
    "DELETE /members/{user_id}": Operation.REMOVE_MEMBER,
    "GET /bans": Operation.BAN,
    "PUT /bans/{user_id}": Operation.BAN,
    "DELETE /bans/{user_id}": Operation.BAN,
    "PUT /members/{user_id}/mute": Operation.MUTE,
    "DELETE /members/{user_id}/mute": Operation.MUTE,
    "POST /messages/{message_id}/report": MEMBER,
    "POST /invites": Operation.INVITE,
    "GET /invites": Operation.INVITE,
    "DELETE /invites/{code}": Operation.INVITE,
    "GET /messages": MEMBER,
    "POST /messages": Operation.SEND_AS_ADMIN,
    "GET /messages/{message_id}": MEMBER,
    "PATCH /messages/{message_id}": MEMBER,
    "DELETE /messages/{message_id}": Operation.DELETE_MESSAGE,
    "PATCH /me": MEMBER,
    "GET /pins": MEMBER,
    "PUT /messages/{message_id}/pin": Operation.PIN,
    "DELETE /messages/{message_id}/pin": Operation.PIN,
    "PUT /messages/{message_id}/reactions/{emoji}": MEMBER,
    "DELETE /messages/{message_id}/reactions/{emoji}": MEMBER,
    "GET /receipts": MEMBER,
    "POST /read": MEMBER,
    "GET /messages/{message_id}/revisions": Operation.SEE_REVISIONS,
    "POST /messages/stream": Operation.SEND_AS_ADMIN,
    "PATCH /messages/{message_id}/stream": MEMBER,
    "POST /messages/{message_id}/stream/end": MEMBER,
    "PUT /messages/{root_id}/follow": MEMBER,
    "DELETE /messages/{root_id}/follow": MEMBER,
    "POST /messages/{root_id}/read": MEMBER,
}
"""By method and path below the conversation's own."""

COMMANDS: dict[str, Operation | str] = {
    "message:send": Operation.SEND_AS_ADMIN,
    "message:stream:start": Operation.SEND_AS_ADMIN,
    "message:stream:append": MEMBER,
    "message:stream:end": MEMBER,
    "message:edit": MEMBER,
    "message:delete": Operation.DELETE_MESSAGE,
    "reaction:add": MEMBER,
    "reaction:remove": MEMBER,
    "receipt:delivered": MEMBER,
    "receipt:read": MEMBER,
    "thread:read": MEMBER,
    "typing:start": Operation.SEND_AS_ADMIN,
    "typing:stop": MEMBER,
}


@dataclass
class Place:
    """A conversation with two of each role but the owner, somebody outside, and a message of each user."""

    api: Api
    path: str
    id: str
    users: dict[str, User]
    messages: dict[str, str] = field(default_factory=dict)

    @classmethod
    async def group(cls, api: Api) -> "Place":
        names = ("owner", "admin", "admin2", "moderator", "moderator2", "member", "member2", "outsider")
        users = dict(zip(names, await api.users(len(names)), strict=True))
        members = [user for name, user in users.items() if name != "outsider"]
        group = await users["owner"].group(*members)
        place = cls(api, f"/v1/conversations/{group['id']}", group["id"], users)
        for name in names[1:5]:
            await users["owner"].patch(f"{place.path}/members/{users[name].id}", {"role": name.rstrip("2")})
        return await place._with_messages(*names[:-1])

    @classmethod
    async def direct(cls, api: Api) -> "Place":
        users = dict(zip(("member", "member2", "outsider"), await api.users(3), strict=True))
        direct = await users["member"].direct(users["member2"])
        place = cls(api, f"/v1/conversations/{direct['id']}", direct["id"], users)
        return await place._with_messages("member", "member2")

    async def _with_messages(self, *names: str) -> "Place":
        for name in names:
            self.messages[name] = (await self.users[name].send(self.id))["id"]
        return self

    def message(self, of: str) -> str:
        return f"{self.path}/messages/{self.messages[of]}"

    async def status(self, actor: str, method: str, path: str, body: Json | None = None) -> int:
        return (await self.users[actor].call(method, path, body)).status


def _new(body: str = "hello") -> Json:
    return {"client_message_id": new_id(), "body": body}


CALLS: dict[Operation, Callable[[Place, str], Calls]] = {
    Operation.ADD_MEMBERS: lambda p, _: [
        ("POST", f"{p.path}/members", {"user_ids": [p.users["outsider"].id]}),
    ],
    Operation.LEAVE: lambda p, actor: [("DELETE", f"{p.path}/members/{p.users[actor].id}", None)],
    Operation.CHANGE_DETAILS: lambda p, _: [
        ("PATCH", p.path, {"title": "New"}),
        ("PATCH", p.path, {"metadata": {"a": 1}}),
        ("PATCH", p.path, {"visibility": "public"}),
        ("PATCH", p.path, {"avatar_url": "https://example.org/a.png"}),
    ],
    Operation.DESCRIBE: lambda p, _: [
        ("PATCH", p.path, {"description": "What for"}),
        ("PATCH", p.path, {"posting": "everyone"}),
        ("PATCH", p.path, {"slow_mode_s": 5}),
    ],
    Operation.ARCHIVE: lambda p, _: [("PUT", f"{p.path}/archive", None), ("DELETE", f"{p.path}/archive", None)],
    Operation.SET_ROLES: lambda p, _: [
        ("PATCH", f"{p.path}/members/{p.users['member2'].id}", {"role": "moderator"}),
    ],
    Operation.PIN: lambda p, _: [
        ("PUT", f"{p.message('member2')}/pin", None),
        ("DELETE", f"{p.message('member2')}/pin", None),
    ],
    Operation.SEE_REVISIONS: lambda p, _: [("GET", f"{p.message('member2')}/revisions", None)],
    Operation.INVITE: lambda p, _: [
        ("POST", f"{p.path}/invites", {}),
        ("GET", f"{p.path}/invites", None),
        ("DELETE", f"{p.path}/invites/unknown-code", None),
    ],
    Operation.DELETE_GROUP: lambda p, _: [("DELETE", p.path, None)],
}
"""Those that are about nobody in particular."""

TO_OTHERS: dict[Operation, Callable[[Place, str], Calls]] = {
    Operation.DELETE_MESSAGE: lambda p, other: [("DELETE", p.message(other), None)],
    Operation.MUTE: lambda p, other: [
        ("PUT", f"{p.path}/members/{p.users[other].id}/mute", {"until": FUTURE}),
        ("DELETE", f"{p.path}/members/{p.users[other].id}/mute", None),
    ],
    Operation.REMOVE_MEMBER: lambda p, other: [("DELETE", f"{p.path}/members/{p.users[other].id}", None)],
    Operation.BAN: lambda p, other: [("PUT", f"{p.path}/bans/{p.users[other].id}", {})],
}

SENDING = {Operation.SEND_AS_ADMIN, Operation.SEND_AT_ONCE, Operation.MENTION_ALL}
"""They decide how a message is taken, and have tests of their own."""

ROLES = [role.value for role in Role]


def test_rows__are_all_called() -> None:
    assert {*CALLS, *TO_OTHERS, *SENDING} == set(RIGHTS)


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize("role", ROLES)
async def test_operation__in_a_group__as_its_row_says(api: Api, operation: Operation, role: str) -> None:
    place = await Place.group(api)

    statuses = [await place.status(role, *call) for call in CALLS[operation](place, role)]

    allowed = may(operation, GROUP, Role(role), len(place.users))
    assert all(status < 300 if allowed else status == 403 for status in statuses), statuses


@pytest.mark.parametrize("operation", TO_OTHERS)
@pytest.mark.parametrize("role", ROLES)
async def test_operation__to_another_member__as_its_row_says(api: Api, operation: Operation, role: str) -> None:
    place = await Place.group(api)

    for other in ("member2", "moderator2", "admin2"):
        statuses = [await place.status(role, *call) for call in TO_OTHERS[operation](place, other)]

        allowed = may_to(operation, GROUP, Role(role), Role(other.rstrip("2")))
        assert all(status < 300 if allowed else status == 403 for status in statuses), (other, statuses)


@pytest.mark.parametrize("operation", [*CALLS, *TO_OTHERS])
async def test_operation__by_an_outsider__finds_nothing(api: Api, operation: Operation) -> None:
    place = await Place.group(api)

    calls = CALLS[operation](place, "outsider") if operation in CALLS else TO_OTHERS[operation](place, "member")

    assert {await place.status("outsider", *call) for call in calls} == {404}


@pytest.mark.parametrize("operation", [*CALLS, *TO_OTHERS])
async def test_operation__in_a_direct_conversation__as_its_row_says(api: Api, operation: Operation) -> None:
    place = await Place.direct(api)
    calls = CALLS[operation](place, "member") if operation in CALLS else TO_OTHERS[operation](place, "member2")

    statuses = [await place.status("member", *call) for call in calls]

    allowed = may(operation, DIRECT, Role.MEMBER) and not depends_on_other(operation, DIRECT, Role.MEMBER)
    # All of a group's fields but the title are invalid ones in a direct conversation.
    refused = {403, 422} if operation in (Operation.CHANGE_DETAILS, Operation.DESCRIBE) else {403}
    assert all(status < 300 if allowed else status in refused for status in statuses), statuses


@pytest.mark.parametrize("role", ROLES)
async def test_send__where_only_admins_may__by_rest_and_by_socket(api: Api, role: str) -> None:
    place = await Place.group(api)
    await place.users["owner"].patch(place.path, {"posting": "admins"})
    command = SendMessage(
        user_id=place.users[role].id, conversation_id=place.id, client_message_id=new_id(), body="hello"
    )

    by_rest = await place.status(role, "POST", f"{place.path}/messages", _new())
    by_socket = await api.command(command)

    allowed = may(Operation.SEND_AS_ADMIN, GROUP, Role(role))
    assert (by_rest, by_socket["error"] is None) == (201 if allowed else 403, allowed)


@pytest.mark.parametrize("role", ROLES)
async def test_send__in_slow_mode__as_its_row_says(api: Api, role: str) -> None:
    place = await Place.group(api)
    await place.users["owner"].patch(place.path, {"slow_mode_s": 600})

    statuses = [await place.status(role, "POST", f"{place.path}/messages", _new()) for _ in range(2)]

    assert statuses[-1] == (201 if may(Operation.SEND_AT_ONCE, GROUP, Role(role)) else 429)


@pytest.mark.parametrize("role", ROLES)
async def test_mention__of_all__as_its_row_says(api: Api, role: str) -> None:
    place = await Place.group(api)

    message = await place.users[role].send(place.id, "@all look")

    assert message["mention_all"] is may(Operation.MENTION_ALL, GROUP, Role(role), len(place.users))


@pytest.mark.parametrize("role", ROLES)
async def test_delete__of_anothers_message_by_socket__as_its_row_says(api: Api, role: str) -> None:
    place = await Place.group(api)

    for other in ("member2", "moderator2", "admin2"):
        command = DeleteMessage(
            user_id=place.users[role].id, conversation_id=place.id, message_id=place.messages[other]
        )
        reply = await api.command(command)

        allowed = may_to(Operation.DELETE_MESSAGE, GROUP, Role(role), Role(other.rstrip("2")))
        assert (reply["error"] is None) is allowed, (other, reply)


def test_routes__of_a_conversation__have_a_row_each() -> None:
    below = "/v1/conversations/{conversation_id}"
    routes = {
        f"{method} {route.path.removeprefix(below)}".strip()
        for router in ROUTERS
        for route in router.routes
        if route.path.startswith(below)
        for method in route.methods
    }

    assert routes == ROUTES.keys()


def test_socket_commands__of_a_conversation__have_a_row_each() -> None:
    named = {event for event, contract in TO_SERVER.items() if "conversation_id" in contract.model_fields}

    assert named == COMMANDS.keys()
