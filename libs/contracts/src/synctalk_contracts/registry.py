"""The registry of events by name, and of all published shapes by the name of their schema file."""

from pydantic import BaseModel

from synctalk_contracts import commands, errors, fanout, feed, internal, models
from synctalk_contracts.envelope import Envelope, Event
from synctalk_contracts.events.conversations import (
    ConversationCreated,
    ConversationDeleted,
    ConversationUpdated,
    MemberChanged,
)
from synctalk_contracts.events.messages import MessageCompleted, MessageCreated, MessageDeleted, MessageUpdated
from synctalk_contracts.events.receipts import ReceiptRead, ThreadRead
from synctalk_contracts.events.reports import ReportCreated
from synctalk_contracts.events.sessions import SessionRevoked
from synctalk_contracts.events.users import (
    ErasureCompleted,
    ErasureRequested,
    GuestClaimed,
    ProfileProvided,
    UserDeactivated,
    UserReactivated,
    UserRegistered,
    UserUpdated,
)
from synctalk_contracts.sockets import TO_CLIENT, TO_SERVER

EVENTS: dict[str, type[Event]] = {
    cls.type_name(): cls
    for cls in (
        UserRegistered,
        UserUpdated,
        ProfileProvided,
        GuestClaimed,
        UserDeactivated,
        UserReactivated,
        ErasureRequested,
        ErasureCompleted,
        SessionRevoked,
        ConversationCreated,
        ConversationUpdated,
        ConversationDeleted,
        MemberChanged,
        MessageCreated,
        MessageUpdated,
        MessageDeleted,
        MessageCompleted,
        ReceiptRead,
        ThreadRead,
        ReportCreated,
    )
}


class UnknownEventError(ValueError):
    """An envelope of a type that this version does not know."""


def parse(envelope: Envelope) -> Event:
    """The typed event of an envelope.

    Raises:
        UnknownEventError: no such type here.
        pydantic.ValidationError: the payload is not of the type's shape.
    """
    cls = EVENTS.get(envelope.type)
    if cls is None:
        raise UnknownEventError(envelope.type)
    return cls.model_validate(envelope.payload, extra="ignore")


def schemas() -> dict[str, type[BaseModel]]:
    """Return every published shape, keyed `<group>/<name>` as its committed schema file is named."""
    shapes: dict[str, type[BaseModel]] = {f"events/{name}": cls for name, cls in EVENTS.items()}
    for command in (
        commands.SendMessage,
        commands.EditMessage,
        commands.DeleteMessage,
        commands.StartStream,
        commands.AppendToStream,
        commands.EndStream,
        commands.AddReaction,
        commands.RemoveReaction,
        commands.MarkDelivered,
        commands.MarkRead,
        commands.MarkThreadRead,
    ):
        shapes[f"commands/{command.model_fields['type'].default}"] = command
    shapes["commands/command_batch.v1"] = commands.CommandBatch
    shapes["commands/reply_batch.v1"] = commands.ReplyBatch
    shapes["bus/envelope.v1"] = Envelope
    shapes["fanout/room_batch.v1"] = fanout.RoomBatch
    shapes["fanout/user_event.v1"] = fanout.UserEvent
    shapes["fanout/profile_event.v1"] = fanout.ProfileEvent
    shapes["fanout/contacts_event.v1"] = fanout.ContactsEvent
    shapes["fanout/presence_event.v1"] = fanout.PresenceEvent
    for question in (
        internal.Ids,
        internal.Users,
        internal.UsersQuestion,
        internal.KnownUsers,
        internal.InviteUse,
        internal.NameQuestion,
        internal.NamedConversation,
        internal.KeyQuestion,
        internal.KnownKey,
        internal.KnownBot,
        internal.ActingQuestion,
        internal.ActingUser,
        internal.ConversationStates,
        internal.Heads,
        internal.RoomQuestion,
        internal.RoomState,
        internal.ViewsQuestion,
        internal.ConversationViews,
        internal.RevocationPage,
        internal.SyncQuestion,
        internal.ContactsQuestion,
        internal.PushQuestions,
        internal.PushAnswers,
        internal.ThreadsQuestion,
        internal.ThreadFollowers,
        internal.PreviewsMade,
        internal.MembershipPage,
        internal.PresenceQuestion,
        internal.PresenceSnapshot,
        internal.LeaseReport,
        internal.ActiveUsers,
    ):
        shapes[f"internal/{question.__name__}.v1"] = question
    for name, to_server in TO_SERVER.items():
        shapes[f"to_server/{name.replace(':', '.')}.v1"] = to_server
    for name, to_client in TO_CLIENT.items():
        shapes[f"to_client/{name.replace(':', '.')}.v1"] = to_client
    for model in (
        models.User,
        models.ServerUser,
        models.Tokens,
        models.Session,
        models.Message,
        models.Thread,
        models.Revision,
        models.Member,
        models.MemberChange,
        models.Conversation,
        models.ServerConversation,
        models.ServerMember,
        models.Receipt,
        models.Presence,
        models.SearchHit,
        models.MentionHit,
        models.SyncState,
        models.SyncAnswer,
        models.Device,
        models.NotificationSettings,
        models.AllNotificationSettings,
        models.PushData,
        models.HostConversation,
        feed.FeedEvent,
        errors.ErrorBody,
    ):
        shapes[f"models/{model.__name__}.v1"] = model
    return shapes
