"""HTTP endpoints: parse, call one action, respond."""

from synctalk_api.routes import (
    conversations,
    internal,
    members,
    messages,
    reactions,
    receipts,
    search,
    sync,
    users,
)

ROUTERS = [
    module.router for module in (users, conversations, members, messages, reactions, receipts, search, sync, internal)
]
