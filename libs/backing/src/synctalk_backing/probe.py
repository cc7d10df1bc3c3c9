"""Asks a process over the network whether it serves: a few bytes of its own protocol, no client library, no login.

A probe never raises for a process that is away: it answers no.
"""

import json
import socket
import struct
import urllib.error
import urllib.request

TIMEOUT_S = 1.0


def port_is_taken(port: int) -> bool:
    """Return whether something listens on the port of the loopback address."""
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def postgres_serves(port: int) -> bool:
    """Return whether it takes sessions: while it recovers it answers a start-up packet by an error, else by `R`."""
    body = struct.pack("!I", 196608) + b"user\0postgres\0database\0postgres\0\0"
    return _exchange(port, struct.pack("!I", len(body) + 4) + body).startswith(b"R")


def redis_serves(port: int) -> bool:
    """Return whether it answers; without a password the answer is that one is needed, which is enough."""
    return _exchange(port, b"PING\r\n").startswith((b"+PONG", b"-NOAUTH"))


def rabbitmq_serves(port: int) -> bool:
    """Return whether it greets by `connection.start`; it listens last, when everything else has started."""
    return _exchange(port, b"AMQP\x00\x00\x09\x01").startswith(b"\x01\x00\x00")


def is_whole(url: str) -> bool:
    """Return whether a service is ready, and no process that it works with is missing."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310 - our own http addresses
            return not json.load(answer).get("degraded")
    except (OSError, ValueError):
        return False


def http_answers(url: str, statuses: range = range(200, 300)) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310 - our own http addresses
            status: int = answer.status
    except urllib.error.HTTPError as error:
        status = error.code
        error.close()
    except OSError:
        return False
    return status in statuses


def _exchange(port: int, request: bytes) -> bytes:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as connection:
            connection.sendall(request)
            return connection.recv(64)
    except OSError:
        return b""
