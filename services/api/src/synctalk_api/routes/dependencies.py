"""The dependencies of the endpoints: the services they call, and the rate limits of users."""

import asyncio
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Annotated

from fastapi import Depends
from synctalk_runtime.directory import Directory
from synctalk_runtime.errors import ForbiddenError
from synctalk_runtime.limits import Limit, Limiter
from synctalk_runtime.service import injected
from synctalk_runtime.tokens import CurrentPrincipal

from synctalk_api.actions.blocks import Blocks
from synctalk_api.actions.channels import Channels
from synctalk_api.actions.conversations import Conversations
from synctalk_api.actions.files import Files
from synctalk_api.actions.history import History
from synctalk_api.actions.host_users import HostUsers
from synctalk_api.actions.invitations import Invitations
from synctalk_api.actions.invites import Invites
from synctalk_api.actions.live_texts import LiveTexts
from synctalk_api.actions.members import Members
from synctalk_api.actions.moderation import Moderation
from synctalk_api.actions.names import Names
from synctalk_api.actions.own_states import OwnStates
from synctalk_api.actions.partitions import Partitions
from synctalk_api.actions.pins import Pins
from synctalk_api.actions.previews import Previews
from synctalk_api.actions.profiles import ProfilePublisher
from synctalk_api.actions.reports import Reports
from synctalk_api.actions.reviewing import CommandWriters
from synctalk_api.actions.revisions import Revisions
from synctalk_api.actions.search import Search
from synctalk_api.actions.server_conversations import ServerConversations
from synctalk_api.actions.server_messages import ServerMessages
from synctalk_api.actions.sync import Sync
from synctalk_api.actions.threads import Threads
from synctalk_api.actions.users import Users
from synctalk_api.clients.accounts import Accounts
from synctalk_api.clients.fanout import Fanout
from synctalk_api.settings import Settings
from synctalk_api.store.stores import Stores


@dataclass(frozen=True, slots=True)
class UserLimits:
    """The rate limits of one user over REST."""

    reading: Limit
    writing: Limit
    sending: Limit
    """The bucket from which the gateways take as well."""
    searching: Limit
    changing_profile: Limit
    """Each change is published in up to a thousand conversations."""
    uploading: Limit
    by_key: Limit
    """What a server key may call without a user; a batch costs as many calls as it has messages."""
    streaming: Limit
    """Appends, from the bucket from which the gateways take as well."""

    @classmethod
    def of(cls, settings: Settings) -> "UserLimits":
        return cls(
            reading=Limit("api_read", settings.read_rate_per_s, settings.read_burst),
            writing=Limit("api_write", settings.write_rate_per_s, settings.write_burst),
            sending=Limit("message", settings.message_rate_per_s, settings.message_burst),
            searching=Limit("api_search", settings.search_rate_per_s, settings.search_burst),
            changing_profile=Limit("api_profile", settings.profile_rate_per_s, settings.profile_burst),
            uploading=Limit("api_file", settings.file_rate_per_s, settings.file_burst),
            by_key=Limit("server_key", settings.server_key_rate_per_s, settings.server_key_burst),
            streaming=Limit("stream", settings.stream_rate_per_s, settings.stream_burst),
        )


@dataclass(frozen=True, slots=True)
class Services:
    """Wired by `main.py`; endpoints find it in `app.state.services`."""

    stores: Stores
    users: Users
    blocks: Blocks
    conversations: Conversations
    channels: Channels
    members: Members
    moderation: Moderation
    invites: Invites
    reports: Reports
    public_url: str | None
    own_states: OwnStates
    history: History
    pins: Pins
    previews: Previews
    revisions: Revisions
    search: Search
    threads: Threads
    sync: Sync
    gateway_sync: Sync
    """The same for gateways, which do not compete with look-ups over REST."""
    writers: CommandWriters
    partitions: Partitions
    files: Files
    names: Names
    host_users: HostUsers
    server_conversations: ServerConversations
    server_messages: ServerMessages
    limiter: Limiter
    limits: UserLimits
    guests_begin: bool
    """Whether guests may begin conversations."""

    @classmethod
    def of(
        cls,
        settings: Settings,
        stores: Stores,
        accounts: Accounts,
        directory: Directory,
        limiter: Limiter,
        fanout: Fanout,
        profiles: ProfilePublisher,
        writers: CommandWriters,
        partitions: Partitions,
        files: Files,
        live: LiveTexts,
    ) -> "Services":
        most = settings.group_members_max
        users = Users(stores, accounts, profiles)
        blocks = Blocks(stores, users, fanout)
        names, host_users = Names(stores), HostUsers(users, directory)
        invitations = Invitations(stores, limiter, settings)
        bounds = settings.sync_reset_after, settings.sync_changes_max, settings.sync_bytes_max
        sync = Sync(stores, live, attrgetter("reads"), *bounds)
        return cls(
            stores=stores,
            users=users,
            blocks=blocks,
            conversations=Conversations(stores, users, blocks, invitations, fanout, most, live),
            channels=Channels(stores, users, fanout, most),
            members=Members(stores, users, blocks, invitations, fanout, most),
            moderation=Moderation(stores, users, fanout),
            invites=Invites(stores, users, fanout, most, settings.invites_max),
            reports=Reports(stores),
            public_url=settings.public_url,
            own_states=OwnStates(stores, fanout),
            history=History(stores, live, settings.page_bytes_max),
            pins=Pins(stores, live, settings.page_bytes_max),
            previews=Previews(stores, fanout),
            revisions=Revisions(stores),
            search=Search(
                stores,
                asyncio.Semaphore(settings.search_connections),
                settings.search_timeout_s,
                settings.search_conversations_max,
                settings.page_bytes_max,
            ),
            threads=Threads(stores, fanout, live, settings.page_bytes_max),
            sync=sync,
            gateway_sync=replace(sync, pool=attrgetter("postgres")),
            writers=writers,
            partitions=partitions,
            files=files,
            names=names,
            host_users=host_users,
            server_conversations=ServerConversations(stores, host_users, names, blocks, fanout, most),
            server_messages=ServerMessages(stores, host_users, writers, fanout),
            limiter=limiter,
            limits=UserLimits.of(settings),
            guests_begin=settings.guests == "open",
        )


ServicesDep = Annotated[Services, Depends(injected)]


async def _reading(principal: CurrentPrincipal, services: ServicesDep) -> None:
    await services.limiter.take(services.limits.reading, principal.user_id)


async def _writing(principal: CurrentPrincipal, services: ServicesDep) -> None:
    await services.limiter.take(services.limits.writing, principal.user_id)


async def _sending(principal: CurrentPrincipal, services: ServicesDep) -> None:
    await services.limiter.take(services.limits.sending, principal.user_id)


async def _searching(principal: CurrentPrincipal, services: ServicesDep) -> None:
    await services.limiter.take(services.limits.searching, principal.user_id)


async def _changing_profile(principal: CurrentPrincipal, services: ServicesDep) -> None:
    await services.limiter.take(services.limits.changing_profile, principal.user_id)


async def _uploading(principal: CurrentPrincipal, services: ServicesDep) -> None:
    await services.limiter.take(services.limits.uploading, principal.user_id)


async def _streaming(principal: CurrentPrincipal, services: ServicesDep) -> None:
    await services.limiter.take(services.limits.streaming, principal.user_id)


async def _no_guest(principal: CurrentPrincipal) -> None:
    if principal.is_guest:
        raise ForbiddenError("A guest can't make this call.")


async def _may_begin(principal: CurrentPrincipal, services: ServicesDep) -> None:
    if principal.is_guest and not services.guests_begin:
        raise ForbiddenError("A guest can't begin a conversation.")


NO_GUEST = Depends(_no_guest)
MAY_BEGIN = Depends(_may_begin)
READING = Depends(_reading)
WRITING = Depends(_writing)
SENDING = Depends(_sending)
SEARCHING = Depends(_searching)
CHANGING_PROFILE = Depends(_changing_profile)
UPLOADING = Depends(_uploading)
STREAMING = Depends(_streaming)
