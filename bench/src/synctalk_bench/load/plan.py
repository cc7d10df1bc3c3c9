"""What the coordinator asks of its workers and what they answer: plain values that cross a pipe.

Times are `time.monotonic_ns()`, which all processes of one machine share.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Seat:
    """One socket: who it is, which conversation it is watched in, and whether it sends."""

    user_id: str
    token: str
    conversation_id: str
    sends: bool = True


@dataclass(frozen=True)
class Open:
    url: str
    seats: list[Seat]


@dataclass(frozen=True)
class Run:
    rate_per_s: float
    """Messages of this worker's own senders, together."""
    name: str
    """Begins every `client_message_id`, so that no two runs share one."""
    seed: int
    begin_ns: int
    window_from_ns: int
    window_to_ns: int
    """Latencies and deliveries count inside the window; sending ends with it."""
    body_chars: int


@dataclass(frozen=True)
class Settle:
    """Wait until every socket has all messages of its conversation up to these, then say what is wrong."""

    last_seqs: dict[str, int]
    timeout_s: float


@dataclass(frozen=True)
class Close:
    pass


Job = Open | Run | Settle | Close


@dataclass(frozen=True)
class Ran:
    """What one worker did and saw. Latencies are microseconds, packed as `array("I")`."""

    acked: dict[str, list[int]]
    """The `seq`s that acks named, by conversation."""
    deliveries: int
    """Received inside the window."""
    ack_us: bytes
    delivery_us: bytes
    late_us: bytes
    """By how much the generator itself sent too late."""
    retries: int
    """Messages that the server asked to send again."""
    syncs: int
    """Number of times that the server asked a socket to sync."""


@dataclass(frozen=True)
class Opened:
    last_seqs: dict[str, int]
    """Where each conversation stood when its sockets were ready."""


@dataclass(frozen=True)
class Faults:
    """Everything that went wrong, by kind; empty when all is as it must be."""

    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Failed:
    reason: str


Answer = Opened | Ran | Faults | Failed
