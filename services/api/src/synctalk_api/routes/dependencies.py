"""The dependencies of the endpoints: the services they call, and the rate limits of users."""

import asyncio
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends
from synctalk_runtime.limits import Limit, Limiter
from synctalk_runtime.outbox import OutboxRelay
from synctalk_runtime.postgres import Postgres
from synctalk_runtime.service import injected
from synctalk_runtime.tokens import CurrentPrincipal

from synctalk_api.actions.conversations import Conversations
from synctalk_api.actions.history import History
from synctalk_api.actions.invitations import Invitations
from synctalk_api.actions.members import Members
from synctalk_api.actions.partitions import Partitions
from synctalk_api.actions.profiles import ProfilePublisher
from synctalk_api.actions.search import Search
from synctalk_api.actions.sync import Sync
from synctalk_api.actions.users import Users
from synctalk_api.actions.writer import Writer
from synctalk_api.clients.accounts import Accounts
from synctalk_api.clients.fanout import Fanout
from synctalk_api.settings import Settings
from synctalk_api.store.pools import Pools


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

    @classmethod
    def of(cls, settings: Settings) -> "UserLimits":
        return cls(
            reading=Limit("api_read", settings.read_rate_per_s, settings.read_burst),
            writing=Limit("api_write", settings.write_rate_per_s, settings.write_burst),
            sending=Limit("message", settings.message_rate_per_s, settings.message_burst),
            searching=Limit("api_search", settings.search_rate_per_s, settings.search_burst),
            changing_profile=Limit("api_profile", settings.profile_rate_per_s, settings.profile_burst),
        )


@dataclass(frozen=True, slots=True)
class Services:
    """Wired by `main.py`; endpoints find it in `app.state.services`."""

    postgres: Postgres
    reads: Postgres
    """Separate connections for look-ups over REST: however many there are, they take none from anything else."""
    users: Users
    conversations: Conversations
    members: Members
    history: History
    search: Search
    sync: Sync
    gateway_sync: Sync
    """The same for gateways, which do not compete with look-ups over REST."""
    writer: Writer
    partitions: Partitions
    limiter: Limiter
    limits: UserLimits

    @classmethod
    def of(
        cls,
        settings: Settings,
        pools: Pools,
        accounts: Accounts,
        limiter: Limiter,
        relay: OutboxRelay,
        fanout: Fanout,
        profiles: ProfilePublisher,
        writer: Writer,
        partitions: Partitions,
    ) -> "Services":
        postgres, reads, changes, most = pools.postgres, pools.reads, pools.changes, settings.group_members_max
        users = Users(postgres, reads, accounts, relay, profiles)
        invitations = Invitations(postgres, limiter, settings)
        sync = Sync(reads, settings.sync_reset_after, settings.sync_changes_max, settings.sync_bytes_max)
        return cls(
            postgres=postgres,
            reads=reads,
            users=users,
            conversations=Conversations(changes, reads, users, invitations, relay, fanout, most),
            members=Members(changes, reads, users, invitations, relay, fanout, most),
            history=History(reads, settings.page_bytes_max),
            search=Search(
                reads,
                asyncio.Semaphore(settings.search_connections),
                settings.search_timeout_s,
                settings.search_conversations_max,
                settings.page_bytes_max,
            ),
            sync=sync,
            gateway_sync=replace(sync, postgres=postgres),
            writer=writer,
            partitions=partitions,
            limiter=limiter,
            limits=UserLimits.of(settings),
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


READING = Depends(_reading)
WRITING = Depends(_writing)
SENDING = Depends(_sending)
SEARCHING = Depends(_searching)
CHANGING_PROFILE = Depends(_changing_profile)
