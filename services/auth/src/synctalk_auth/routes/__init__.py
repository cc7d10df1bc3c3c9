"""HTTP endpoints: parse, call one action, respond."""

from synctalk_auth.routes import (
    bots,
    exchange,
    guests,
    internal,
    jwks,
    oidc,
    password,
    server_keys,
    server_users,
    sessions,
    tokens,
)

ROUTERS = (
    tokens.router,
    exchange.router,
    oidc.router,
    guests.router,
    server_keys.router,
    server_users.router,
    bots.router,
    sessions.router,
    password.router,
    jwks.router,
    internal.router,
)
