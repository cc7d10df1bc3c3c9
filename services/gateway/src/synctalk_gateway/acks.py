"""Acks of socket events: `{ok: true, …}` or `{ok: false, error}`."""

from typing import Any

from synctalk_runtime.errors import AppError

Ack = dict[str, Any]


def done(**fields: object) -> Ack:
    return {"ok": True, **fields}


def refused(error: AppError) -> Ack:
    return {"ok": False, **error.body()}
