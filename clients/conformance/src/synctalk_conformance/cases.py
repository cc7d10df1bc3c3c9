"""The cases in `cases/`, checked while they are read: a step that is misspelt fails before anything runs."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

FOLDER = Path(__file__).resolve().parents[2] / "cases"

CLIENT = "client"
"""The name of the user whose client is tested."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Start(_Strict):
    """Start the client. `ahead`: with a cursor for each conversation that the server has not reached yet."""

    step: Literal["start"]
    ahead: bool = False


class Stop(_Strict):
    """End the client's process; what it knew is gone."""

    step: Literal["stop"]


class Says(_Strict):
    """A user writes, by REST; `times`: with the number at the end of the body."""

    step: Literal["says"]
    user: str
    room: str
    body: str
    times: int = Field(default=1, ge=1, le=200)


class Changes(_Strict):
    """A user does something to the message that has this body."""

    step: Literal["edits", "deletes", "reacts"]
    user: str
    room: str
    body: str
    to: str = ""
    """The new body, or the emoji."""


class Renames(_Strict):
    step: Literal["renames"]
    user: str
    room: str
    to: str


class Membership(_Strict):
    step: Literal["adds", "removes"]
    user: str
    room: str
    who: str


class Claims(_Strict):
    """A user takes a guest's place, in every room and in what was said there."""

    step: Literal["claims"]
    user: str
    guest: str


class Sends(_Strict):
    """The client writes. Unless `waits`, the next step begins before that is done."""

    step: Literal["sends"]
    room: str
    body: str
    times: int = Field(default=1, ge=1, le=200)
    waits: bool = True


class Disturbs(_Strict):
    """Do something to the next frame, or HTTP exchange, of this kind between client and server.

    `on`: `event NAME` and `ack` come from the server, `emit NAME` from the client, `answer METHOD PATH` is an answer
    of HTTP; the beginning is enough. `drop` loses it, `double` brings it twice, `late` lets the next event overtake it,
    `cut` loses it and the connection.
    """

    step: Literal["disturbs"]
    on: str
    do: Literal["drop", "double", "late", "cut"]
    times: int = Field(default=1, ge=1, le=50)


class Network(_Strict):
    """`cut`: all connections are reset, and new ones too; `mend`: as it was."""

    step: Literal["cut", "mend"]


class Kills(_Strict):
    step: Literal["kills"]
    processes: list[str]


class LogsOut(_Strict):
    """The client's session is ended from another one of the same user."""

    step: Literal["ends_session"]


class Waits(_Strict):
    """Wait for an event that the client reports, after those that were waited for before."""

    step: Literal["waits"]
    event: Literal["connected", "disconnected", "ended", "tokens", "removed", "added", "reset"]
    reason: str | None = None


class Settles(_Strict):
    """Wait until what the client knows equals a fresh load."""

    step: Literal["settles"]


class Sees(_Strict):
    """The bodies of a conversation as the client knows them."""

    step: Literal["sees"]
    room: str
    bodies: list[str]


Step = Annotated[
    Start | Stop | Says | Changes | Renames | Membership | Claims | Sends | Disturbs | Network | Kills | LogsOut
    | Waits | Settles | Sees,
    Field(discriminator="step"),
]  # fmt: skip


class Case(_Strict):
    name: str = Field(pattern=r"^[a-z_]+$")
    why: str
    """The promise that is shown, in a sentence."""
    rooms: dict[str, list[str]]
    """Groups with their members, the owner first."""
    guests: list[str] = []
    """Those of them who have no account."""
    short_tokens: bool = False
    """Where the case needs a system in which tokens end while one looks on."""
    each: list[str] = []
    """The case is played once for each of these; it stands for `{each}` in a step."""
    never: list[str] = []
    """Events that the client must not report after it was first connected."""
    steps: list[Step]

    @model_validator(mode="after")
    def _has_its_users(self) -> "Case":
        known = set(self.users)
        fields = ("user", "who", "guest")
        named = {getattr(step, field) for step in self.steps for field in fields if hasattr(step, field)}
        named |= set(self.guests)
        rooms = {step.room for step in self.steps if hasattr(step, "room")}
        if unknown := (named - known) | (rooms - set(self.rooms)):
            raise ValueError(f"not known: {sorted(unknown)}")
        return self

    @property
    def users(self) -> list[str]:
        members = {name for names in self.rooms.values() for name in names}
        added = {step.who for step in self.steps if isinstance(step, Membership)}
        claiming = {step.user for step in self.steps if isinstance(step, Claims)}
        return sorted(members | added | claiming | {CLIENT})


def read_cases() -> list[Case]:
    """Return all cases, those with `each` once for each of them."""
    return [case for path in sorted(FOLDER.glob("*.json")) for case in _variants(path)]


def _variants(path: Path) -> list[Case]:
    text = path.read_text()
    raw = TypeAdapter(dict[str, Any]).validate_json(text)
    variants = [text.replace("{each}", one) for one in raw.get("each", [])] or [text]
    cases = [Case.model_validate_json(variant) for variant in variants]
    if any(case.name != path.stem for case in cases):
        raise ValueError(f"{path.name}: the name of a case is that of its file")
    return cases
