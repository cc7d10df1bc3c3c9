"""What a push says, and the notification that is shown of it, in the language of the device. Pure."""

from dataclasses import dataclass
from typing import Final

from synctalk_contracts.internal import PushAnswer
from synctalk_contracts.models import PushData

from synctalk_notifier.kinds import Content, PushKind

MAX_TEXT_CHARS = 200


@dataclass(frozen=True, slots=True)
class Shown:
    """A visible notification."""

    title: str | None
    body: str


@dataclass(frozen=True, slots=True)
class _Phrases:
    new_message: str
    new_message_from: str


_ENGLISH: Final = _Phrases("New message", "New message from {sender}")
_PHRASES: Final = {
    "en": _ENGLISH,
    "de": _Phrases("Neue Nachricht", "Neue Nachricht von {sender}"),
    "ar": _Phrases("رسالة جديدة", "رسالة جديدة من {sender}"),
}


def push_data(
    kind: PushKind,
    conversation_id: str,
    message_id: str,
    seq: int,
    *,
    thread_id: str | None,
    text: str,
    content: Content,
    answer: PushAnswer,
) -> PushData:
    """Make the `data` of a push; names and text are left out where `content` says so, and of a retraction."""
    is_named, has_text = kind == "message" and content != "none", kind == "message" and content == "full"
    return PushData(
        type=kind,
        conversation_id=conversation_id,
        message_id=message_id,
        seq=str(seq),
        badge=str(answer.badge),
        sender_name=answer.sender_name if is_named else "",
        title=(answer.title or "") if is_named else "",
        text=text if has_text else "",
        thread_id=thread_id or "",
    )


def shown(data: PushData, locale: str | None) -> Shown | None:
    """Return the visible notification; None: a retraction shows nothing.

    A locale whose language is not among ours gets English.
    """
    if data.type == "retract":
        return None
    phrases = _PHRASES.get((locale or "en").partition("-")[0].lower(), _ENGLISH)
    sender = data.sender_name
    if not data.title:
        return Shown(sender or None, data.text or phrases.new_message)
    if data.text:
        return Shown(data.title, f"{sender}: {data.text}" if sender else data.text)
    return Shown(data.title, phrases.new_message_from.format(sender=sender) if sender else phrases.new_message)
