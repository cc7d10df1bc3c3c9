"""Is a message of FCM's shape? The checks of the HTTP v1 endpoint that a client of ours could trip over."""

from typing import Any

import orjson

from synctalk_fcm.behaviours import Answer, refusal

MAX_PAYLOAD_BYTES = 4096
RESERVED = ("google.", "gcm.")
FIELDS = {"data", "notification", "android", "webpush", "apns", "fcm_options", "token", "topic", "condition", "fid"}


def target_of(message: dict[str, Any]) -> str | None:
    """The device that is meant: a registration token, or a Firebase installation id."""
    target = message.get("token") or message.get("fid")
    return target if isinstance(target, str) else None


def problem_with(body: Any) -> Answer | None:
    """None when it is well formed, else FCM's refusal."""
    message = body.get("message") if isinstance(body, dict) else None
    if not isinstance(message, dict):
        return refusal("message", "is required")
    if unknown := set(message) - FIELDS:
        return refusal(f"message.{min(unknown)}", "Cannot find field.")
    if sum(name in message for name in ("token", "fid", "topic", "condition")) != 1:
        return refusal("message", "Exactly one of token, fid, topic or condition is needed.")
    if target_of(message) is None:
        return refusal("message.token", "The registration token is not a valid FCM registration token")
    return _problem_with_data(message.get("data", {}))


def _problem_with_data(data: Any) -> Answer | None:
    if not isinstance(data, dict) or not all(isinstance(value, str) for value in data.values()):
        return refusal("message.data", "Every value must be a string.")
    if any(key.startswith(RESERVED) or key in ("from", "message_type") for key in data):
        return refusal("message.data", "A key is reserved.")
    if len(orjson.dumps(data)) > MAX_PAYLOAD_BYTES:
        return refusal("message", "Message is too big.")
    return None
