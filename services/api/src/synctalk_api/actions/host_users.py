"""Users as server keys name and see them: by id or `external:ID`, with what the host app calls them.

Auth has the host app's names, so it is asked each time; a user just made there can be named at once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from synctalk_contracts.ids import EXTERNAL, external_id, is_id
from synctalk_contracts.models import Member, ServerMember, ServerUser, User
from synctalk_runtime.directory import Directory

from synctalk_api.actions.users import Users

MAX_ASKED = 1_000
OF_HOSTS = ("external_id", "private_metadata", "deactivated_at", "erased_at")


@dataclass(frozen=True, slots=True)
class HostUsers:
    users: Users
    directory: Directory

    async def named(self, names: Iterable[str]) -> dict[str, User]:
        """Return by name those who may be members; unknown ones are left out. Raises UnavailableError."""
        wanted = list(dict.fromkeys(names))
        externals = {name: called for name in wanted if (called := _external(name)) is not None}
        by_external: dict[str, ServerUser] = {}
        asked = sorted(set(externals.values()))
        for at in range(0, len(asked), MAX_ASKED):
            by_external |= await self.directory.by_external_ids(asked[at : at + MAX_ASKED])
        ids = {name: by_external[called].id for name, called in externals.items() if called in by_external}
        ids |= {name: name.lower() for name in wanted if name not in externals and is_id(name)}
        found = await self.users.eligible(list(ids.values()))
        return {name: found[user_id] for name, user_id in ids.items() if user_id in found}

    async def shown(self, users: Sequence[User]) -> dict[str, ServerUser]:
        """Return the users as server keys see them, by id. Raises UnavailableError."""
        ids = [user.id for user in users]
        known: dict[str, ServerUser] = {}
        for at in range(0, len(ids), MAX_ASKED):
            known |= await self.directory.by_ids(ids[at : at + MAX_ASKED])
        return {user.id: _shown(user, known.get(user.id)) for user in users}

    async def shown_members(self, members: Sequence[Member]) -> list[ServerMember]:
        users = await self.shown([member.user for member in members])
        return [ServerMember(**{**dict(member), "user": users[member.user.id]}) for member in members]


def _external(name: str) -> str | None:
    """Return what the host app calls a user, where that is their name here."""
    if not name.startswith(EXTERNAL):
        return None
    try:
        return external_id(name.removeprefix(EXTERNAL))
    except ValueError:
        return None


def _shown(user: User, known: ServerUser | None) -> ServerUser:
    nothing: dict[str, Any] = {"external_id": None, "private_metadata": {}, "deactivated_at": None, "erased_at": None}
    of_hosts = nothing if known is None else {name: getattr(known, name) for name in OF_HOSTS}
    return ServerUser(**dict(user), **of_hosts)
