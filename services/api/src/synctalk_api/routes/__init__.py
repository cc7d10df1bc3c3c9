"""HTTP endpoints: parse, call one action, respond."""

from synctalk_api.routes import (
    blocks,
    channels,
    conversations,
    files,
    internal,
    invites,
    members,
    messages,
    moderation,
    own_states,
    pins,
    reactions,
    receipts,
    revisions,
    search,
    server_conversations,
    server_messages,
    streams,
    sync,
    threads,
    uploads,
    users,
)

ROUTERS = [
    module.router
    for module in (
        blocks,
        users,
        conversations,
        channels,
        members,
        moderation,
        invites,
        messages,
        streams,
        own_states,
        pins,
        reactions,
        receipts,
        revisions,
        search,
        server_conversations,
        server_messages,
        sync,
        threads,
        files,
        uploads,
        internal,
    )
]
