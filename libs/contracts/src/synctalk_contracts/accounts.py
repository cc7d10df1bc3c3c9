"""The accounts of the services at RabbitMQ and Redis: what each may do there, and nothing else.

`ACCESS` says who publishes, consumes, reads and writes what; permissions and ACL rules follow from it by pure
functions. `make up` and the tests make the accounts by these, containers and Kubernetes by what is generated of them.

A service that publishes an event declares the queues that the event must reach, so it may also bind and read those. Who
may publish may write to the exchange of dead letters too, which a queue's declaration asks for.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

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
from synctalk_contracts.topology import (
    API_USERS,
    AUTH_USERS,
    COMMANDS_EXCHANGE,
    DEAD_EXCHANGE,
    EVENTS_EXCHANGE,
    NOTIFIER_EVENTS,
    NOTIFIER_FEED,
    NOTIFIER_SESSIONS,
    ChannelKind,
    DurableQueue,
    command_queue,
    dead_queue,
    fed_by,
)

ADMINISTRATOR = "synctalk"
"""May do everything at RabbitMQ: for operators, and where one account is used for all services."""


@dataclass(frozen=True)
class Keys:
    """Keys of Redis, and the commands on them, also those within scripts."""

    patterns: tuple[str, ...]
    commands: tuple[str, ...]
    """Names of commands, or of categories with `@`."""
    read_only: bool = False


@dataclass(frozen=True)
class Access:
    """What one service does."""

    publishes: tuple[str, ...] = ()
    """Types of events."""
    consumes: tuple[DurableQueue, ...] = ()
    """Queues that its processes share, with their dead letters."""
    listens: tuple[str, ...] = ()
    """Types of events that each process gets in a queue of its own."""
    sends_commands: bool = False
    takes_commands: bool = False
    keys: tuple[Keys, ...] = ()
    publishes_on: tuple[ChannelKind, ...] = ()
    subscribes_to: tuple[ChannelKind, ...] = ()

    @property
    def declares(self) -> tuple[DurableQueue, ...]:
        """Return the durable queues that it declares: its own, and those that its events must reach."""
        fed = [queue for type_name in self.publishes for queue in fed_by(type_name)]
        return tuple(dict.fromkeys((*self.consumes, *fed)))


_SCRIPTS = ("eval", "evalsha")
_EXPIRY = ("del", "unlink", "exists", "expire", "pexpire")


def _limits(*names: str) -> Keys:
    """The buckets of the rate limits whose names begin so."""
    return Keys(tuple(f"limit:{name}*" for name in names), (*_SCRIPTS, "@hash", *_EXPIRY))


_REVOKED = SessionRevoked.type_name()

ACCESS: Mapping[str, Access] = {
    "auth": Access(
        publishes=(
            UserRegistered.type_name(),
            ProfileProvided.type_name(),
            GuestClaimed.type_name(),
            UserDeactivated.type_name(),
            UserReactivated.type_name(),
            ErasureRequested.type_name(),
            _REVOKED,
        ),
        consumes=(AUTH_USERS,),
        keys=(
            _limits("login_", "register_", "password_", "refresh_", "exchange_", "guest_", "oidc_"),
            Keys(("auth:known:*",), ("set", "get", *_EXPIRY)),
        ),
    ),
    "api": Access(
        publishes=tuple(
            event.type_name()
            for event in (
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
                UserUpdated,
                ErasureCompleted,
            )
        ),
        consumes=(API_USERS,),
        listens=(_REVOKED,),
        takes_commands=True,
        keys=(
            _limits("api_", "message:", "stream:"),
            Keys(("stream:*",), (*_SCRIPTS, "@hash", "@sortedset", "get", "set", "append", "getrange", *_EXPIRY)),
        ),
        publishes_on=(ChannelKind.CONVERSATION, ChannelKind.USER, ChannelKind.REPLIES, ChannelKind.PARTITIONS),
    ),
    "gateway": Access(
        listens=(_REVOKED, ConversationCreated.type_name(), MemberChanged.type_name()),
        sends_commands=True,
        keys=(_limits("message:", "stream:", "signal:", "connect"), Keys(("delivered:*",), ("zadd", *_EXPIRY))),
        publishes_on=(ChannelKind.CONVERSATION, ChannelKind.HEARTBEAT),
        subscribes_to=tuple(ChannelKind),
    ),
    "presence": Access(
        listens=(_REVOKED,),
        keys=(_limits("presence_"), Keys(("presence:*",), (*_SCRIPTS, "@hash", "@sortedset", *_EXPIRY))),
        publishes_on=(ChannelKind.PRESENCE,),
    ),
    "notifier": Access(
        consumes=(NOTIFIER_EVENTS, NOTIFIER_SESSIONS, *NOTIFIER_FEED),
        listens=(_REVOKED,),
        keys=(
            _limits("devices:", "notification_settings:", "server_events:"),
            Keys(("delivered:*",), ("zscore",), read_only=True),
        ),
    ),
}


def user_name(service: str) -> str:
    return f"synctalk_{service}"


# ── RabbitMQ ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_OWN_QUEUES = r"amq\.gen-.*"
"""Those that the broker names; each is exclusive to a connection."""
_COMMAND_QUEUES = re.escape(command_queue("")) + ".*"
_EXCHANGES = (EVENTS_EXCHANGE, COMMANDS_EXCHANGE, DEAD_EXCHANGE)
"""Everybody declares them: whoever comes first makes them."""


@dataclass(frozen=True)
class Permissions:
    """Regular expressions of names, as RabbitMQ has them; the topics are routing keys of `synctalk.events`."""

    configure: str
    write: str
    read: str
    topic_write: str
    topic_read: str


def rabbitmq_permissions(access: Access) -> Permissions:
    declared = [name for queue in access.declares for name in (queue.name, dead_queue(queue.name))]
    consumed = [dead_queue(queue.name) for queue in access.consumes]
    queues = [*([_OWN_QUEUES] if access.listens else []), *([_COMMAND_QUEUES] if access.takes_commands else [])]
    events = bool(access.publishes or access.consumes)
    commands = re.escape(COMMANDS_EXCHANGE)
    names = [*map(re.escape, declared), *queues]
    return Permissions(
        configure=_any_of([*map(re.escape, _EXCHANGES), *names]),
        write=_any_of(
            [
                *names,
                *([re.escape(DEAD_EXCHANGE)] if declared else []),
                *([re.escape(EVENTS_EXCHANGE)] if events else []),
                *([commands] if access.sends_commands else []),
            ]
        ),
        read=_any_of(
            [
                *(re.escape(queue.name) for queue in access.declares),
                *map(re.escape, consumed),
                *queues,
                re.escape(EVENTS_EXCHANGE),
                *([re.escape(DEAD_EXCHANGE)] if declared else []),
                *([commands] if access.takes_commands else []),
            ]
        ),
        topic_write=_any_of(map(re.escape, (*access.publishes, *(queue.name for queue in access.consumes)))),
        topic_read=_any_of(
            map(re.escape, (*access.listens, *(key for queue in access.declares for key in queue.routing_keys)))
        ),
    )


def _any_of(patterns: Iterable[str]) -> str:
    return f"^({'|'.join(sorted(set(patterns)))})$"


def rabbitmq_definitions(passwords: Mapping[str, str], vhost: str = "/") -> dict[str, Any]:
    """Return the definitions that a node imports at its start. `passwords`: by service, and the administrator's."""
    permissions = {service: rabbitmq_permissions(access) for service, access in ACCESS.items()}
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    return {
        "vhosts": [{"name": vhost}],
        "users": [
            {"name": ADMINISTRATOR, "password": passwords[ADMINISTRATOR], "tags": "administrator"},
            *({"name": user_name(service), "password": passwords[service], "tags": ""} for service in ACCESS),
        ],
        "permissions": [
            {"user": ADMINISTRATOR, "vhost": vhost, **everything},
            *(
                {"user": user_name(name), "vhost": vhost, "configure": of.configure, "write": of.write, "read": of.read}
                for name, of in permissions.items()
            ),
        ],
        "topic_permissions": [
            {
                "user": user_name(name),
                "vhost": vhost,
                "exchange": EVENTS_EXCHANGE,
                "write": of.topic_write,
                "read": of.topic_read,
            }
            for name, of in permissions.items()
        ],
    }


def rabbitmqctl(vhost: str = "/") -> list[str]:
    """Return the calls that give accounts which exist already their permissions."""
    calls = []
    for service, access in ACCESS.items():
        of, name = rabbitmq_permissions(access), user_name(service)
        calls += [
            f"rabbitmqctl set_permissions -p {vhost} {name} '{of.configure}' '{of.write}' '{of.read}'",
            f"rabbitmqctl set_topic_permissions -p {vhost} {name} {EVENTS_EXCHANGE} "
            f"'{of.topic_write}' '{of.topic_read}'",
        ]
    return calls


# ── Redis ────────────────────────────────────────────────────────────────────────────────────────────────────────────

_CONNECTION = (
    "-@all +@connection -@dangerous +role +info +time +script|load +script|exists "
    "+cluster|info +cluster|keyslot +cluster|myid +cluster|nodes +cluster|shards +cluster|slots +readonly +readwrite"
)
"""What a client asks of the server itself; there are no keys and no channels in it."""
_PUBLISH = ("publish", "spublish")
_SUBSCRIBE = ("subscribe", "unsubscribe", "ssubscribe", "sunsubscribe")


def redis_rules(access: Access) -> str:
    """Return the ACL rules: what all connections may, then one selector for each family of keys or channels."""
    selectors = [
        (keys.commands, [("%R~" if keys.read_only else "~") + pattern for pattern in keys.patterns])
        for keys in access.keys
    ]
    for commands, kinds in ((_PUBLISH, access.publishes_on), (_SUBSCRIBE, access.subscribes_to)):
        if kinds:
            selectors.append((commands, [f"&{kind.value}:*" for kind in kinds]))
    written = (
        f"(-@all {' '.join(f'+{command}' for command in commands)} {' '.join(subjects)})"
        for commands, subjects in selectors
    )
    return " ".join(("resetkeys resetchannels", _CONNECTION, *written))


def redis_user(service: str, passwords: Iterable[str]) -> str:
    """Return the account as a line of redis.conf or of an ACL file."""
    given = " ".join(f">{password}" for password in passwords)
    return f"user {user_name(service)} reset on {given} {redis_rules(ACCESS[service])}"
