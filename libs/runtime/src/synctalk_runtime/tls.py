"""TLS towards Redis, RabbitMQ and PostgreSQL: whether there is any, and whom it trusts, says the address.

`rediss://`, `amqps://` and `sslmode=verify-ca` or `verify-full` verify the server's certificate, and its name against
the host in the address (`verify-ca` and `ssl_check_hostname=no`: not the name). Trusted are the system's authorities
and those in `SYNCTALK_TLS_CA_FILE`, unless the address names a file of its own.
"""

import ssl
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from redis.asyncio.connection import SSLConnection, parse_url


def redis_options(url: str, ca_file: Path | None) -> dict[str, Any]:
    """Return the address as redis-py's arguments of a connection, with `ssl_ca_certs` where the address has none."""
    options: dict[str, Any] = dict(parse_url(url))
    if options.get("connection_class") is SSLConnection and ca_file is not None:
        options.setdefault("ssl_ca_certs", str(ca_file))
    return options


def redis_context(options: dict[str, Any]) -> ssl.SSLContext | None:
    """Return the context that redis-py would make of these options; None without TLS."""
    if options.get("connection_class") is not SSLConnection:
        return None
    given = {name: value for name, value in options.items() if name.startswith("ssl_")}
    return SSLConnection(**given).ssl_context.get()


def rabbitmq_context(url: str, ca_file: Path | None) -> ssl.SSLContext | None:
    """Return None where the address brings all that is needed: no TLS, or a `cafile` of its own."""
    address = urlsplit(url)
    if address.scheme != "amqps" or ca_file is None or parse_qs(address.query).keys() & {"cafile", "no_verify_ssl"}:
        return None
    return _trusting(ca_file)


def postgres_context(url: str, ca_file: Path | None) -> ssl.SSLContext | None:
    """Return None where the address brings all that is needed: nothing is verified, or by its own `sslrootcert`."""
    query = parse_qs(urlsplit(url).query)
    mode = query.get("sslmode", ["prefer"])[-1]
    if ca_file is None or mode not in ("verify-ca", "verify-full") or "sslrootcert" in query:
        return None
    context = _trusting(ca_file)
    context.check_hostname = mode == "verify-full"
    return context


def _trusting(ca_file: Path) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(ca_file)
    return context
