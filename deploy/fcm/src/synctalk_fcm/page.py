"""The page: plain HTML that renews itself, without a script."""

from html import escape
from pathlib import Path
from string import Template
from typing import Any

from synctalk_contracts.ids import format_time

from synctalk_fcm.inbox import Received

STYLE = Path(__file__).with_name("style.css")
MAX_ROWS = 200

_PAGE = Template(Path(__file__).with_name("page.html").read_text())
_ROW = Template(
    '<tr><td><time>$time</time></td><td><span class="$kind">$type</span></td><td class="mono">$token</td>'
    '<td class="mono">$conversation</td><td class="number">$seq</td><td class="number">$badge</td>'
    '<td><span class="$outcome">$answered</span></td></tr>'
)


def render(messages: list[Received], token: str) -> str:
    """The newest first; `token` is what the list was narrowed to, or empty."""
    newest = messages[: -MAX_ROWS - 1 : -1]
    return _PAGE.substitute(
        token=escape(token, quote=True),
        count=len(messages),
        shown=len(newest),
        rows="".join(_row(message) for message in newest),
        state="filled" if newest else "empty",
    )


def _row(received: Received) -> str:
    data: dict[str, Any] = received.message.get("data") or {}
    type_name = str(data.get("type", "other"))
    fields = {
        "time": format_time(received.received_at)[11:23],
        "type": type_name,
        "kind": f"kind {'retract' if type_name == 'retract' else 'message'}",
        "token": received.token[:48],
        "conversation": str(data.get("conversation_id", "")),
        "seq": str(data.get("seq", "")),
        "badge": str(data.get("badge", "")),
        "answered": str(received.answered),
        "outcome": "outcome well" if received.answered < 300 else "outcome failed",
    }
    return _ROW.substitute({name: escape(value, quote=True) for name, value in fields.items()})
