"""What server keys send, edit and delete: as a member, as the conversation itself, or for whoever is there only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from synctalk_contracts.commands import DeleteMessage, EditMessage, SendMessage
from synctalk_contracts.sockets import MessageEphemeralToClient
from synctalk_runtime.errors import AppError, ForbiddenError, InvalidError, NotFoundError
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.telemetry import traceparent

from synctalk_api.actions.access import archived, blocking, require_reader
from synctalk_api.actions.changes import change_by_host
from synctalk_api.actions.commands import Command, CommandResult, Outcome, SayCustom
from synctalk_api.actions.host_users import HostUsers
from synctalk_api.actions.reviewing import CommandWriters
from synctalk_api.clients.fanout import Broadcast, Fanout
from synctalk_api.store import members
from synctalk_api.store.stores import Stores


@dataclass(frozen=True, slots=True)
class HostMessage:
    """A message as a host app wants it sent."""

    client_message_id: str
    body: str
    sender: str | None
    """An id, or `external:ID`; None: the conversation itself says it."""
    system: Mapping[str, Any] | None = None
    silent: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ServerMessages:
    stores: Stores
    host_users: HostUsers
    writers: CommandWriters
    fanout: Fanout

    async def send(self, conversation_id: str, wanted: HostMessage) -> CommandResult:
        """Send a message. Raises the error with which it was refused."""
        (outcome,) = await self.send_all(conversation_id, [wanted])
        if isinstance(outcome, AppError):
            raise outcome
        return outcome

    async def send_all(self, conversation_id: str, wanted: Sequence[HostMessage | AppError]) -> list[Outcome]:
        """Send messages in this sequence, and return what became of each; one that fails stops no other."""
        await self._require_exists(conversation_id)
        sendable = [each for each in wanted if isinstance(each, HostMessage)]
        senders = await self._senders(conversation_id, sendable)
        commands = [
            None if isinstance(each, AppError) else _command(conversation_id, each, senders.get(each.sender or ""))
            for each in wanted
        ]
        written = [command for command in commands if command is not None]
        outcomes = iter(await self.writers.write_all(written) if written else [])
        results: list[Outcome] = []
        for each, command in zip(wanted, commands, strict=True):
            if isinstance(each, AppError):
                results.append(each)
            else:
                outcome: Outcome = _no_member() if command is None else next(outcomes)
                # It was a member's a moment ago.
                results.append(_no_member() if isinstance(outcome, NotFoundError) else outcome)
        return results

    async def send_ephemeral(self, conversation_id: str, wanted: HostMessage) -> MessageEphemeralToClient:
        """Say something to the members who are there now, and store nothing of it."""
        await self._require_exists(conversation_id)
        sender_id = (await self._senders(conversation_id, [wanted])).get(wanted.sender or "")
        async with self.stores.reading(conversation_id) as conn:
            state = None if sender_id is None else await members.writing(conn, conversation_id, sender_id)
        if sender_id is None or state is None:
            raise _no_member()
        if state["archived_at"] is not None:
            raise archived(state["archived_at"])
        if state["blocked_by_peer"]:
            raise ForbiddenError("The other user has blocked the sender.")
        if state["blocks_peer"]:
            raise blocking()
        event = MessageEphemeralToClient(
            id=new_id(),
            conversation_id=conversation_id,
            sender_id=sender_id,
            client_message_id=wanted.client_message_id,
            body=wanted.body,
            metadata=dict(wanted.metadata),
            created_at=utc_now(),
        )
        broadcast = Broadcast()
        broadcast.to_room(conversation_id, type(event), sender_id, event.model_dump(mode="json"))
        await self.fanout.publish_and_wait(broadcast)
        return event

    async def change(self, wanted: EditMessage | DeleteMessage) -> CommandResult:
        """Edit or delete any message. Raises the error with which it was refused."""
        async with self.stores.changing(wanted.conversation_id) as conn:
            await require_reader(conn, wanted.conversation_id, None)
            result = await change_by_host(conn, wanted)
        self.fanout.publish(result.broadcast)
        (outcome,) = result.outcomes
        if isinstance(outcome, AppError):
            raise outcome
        return outcome

    async def _require_exists(self, conversation_id: str) -> None:
        async with self.stores.reading(conversation_id) as conn:
            await require_reader(conn, conversation_id, None)

    async def _senders(self, conversation_id: str, wanted: Sequence[HostMessage]) -> dict[str, str]:
        """Return by name the ids of those senders who are members."""
        named = await self.host_users.named(
            each.sender for each in wanted if each.sender is not None and each.system is None
        )
        if not named:
            return {}
        async with self.stores.reading(conversation_id) as conn:
            present = await members.present(conn, conversation_id, [user.id for user in named.values()])
        return {name: user.id for name, user in named.items() if user.id in present}


def _command(conversation_id: str, wanted: HostMessage, sender_id: str | None) -> Command | None:
    """Return the command that stores it; None: its sender is no member."""
    payload: SayCustom | SendMessage
    if wanted.system is not None:
        payload = SayCustom(
            conversation_id=conversation_id,
            client_message_id=wanted.client_message_id,
            body=wanted.body,
            metadata=dict(wanted.metadata),
            system=dict(wanted.system),
        )
    elif sender_id is None:
        return None
    else:
        payload = SendMessage(
            conversation_id=conversation_id,
            user_id=sender_id,
            client_message_id=wanted.client_message_id,
            body=wanted.body,
            metadata=dict(wanted.metadata),
        )
    return Command(payload, traceparent=traceparent(), by_host=True, silent=wanted.silent)


def _no_member() -> InvalidError:
    return InvalidError.of("sender", "must be a member of the conversation")
