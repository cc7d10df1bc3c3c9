"""TLS towards Redis, RabbitMQ and PostgreSQL: whether there is any, and whom it trusts, says the address.

`rediss://`, `amqps://` and `sslmode=verify-ca` or `verify-full` verify the server's certificate, and its name against
the host in the address (`verify-ca` and `ssl_check_hostname=no`: not the name). Trusted are the system's authorities
and those in `SYNCTALK_TLS_CA_FILE`, unless the address names a file of its own. All three take `server_name=…` in the
address: the name in the certificate, where it is not the host's. A certificate of the client's own is named as each
driver names it: `ssl_certfile` and `ssl_keyfile`, `certfile` and `keyfile`, `sslcert` and `sslkey`.
"""

import ssl
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

from redis.asyncio.connection import SSLConnection, parse_url

SERVER_NAME = "server_name"


def redis_options(url: str, ca_file: Path | None) -> dict[str, Any]:
    """Return the address as redis-py's arguments of a connection, with `ssl_ca_certs` where the address has none.

    `server_name` is no argument of redis-py's own connections: `RedisConnectionTls` takes it.
    """
    options: dict[str, Any] = dict(parse_url(url))
    if options.get("connection_class") is SSLConnection and ca_file is not None:
        options.setdefault("ssl_ca_certs", str(ca_file))
    return options


def redis_context(options: dict[str, Any]) -> ssl.SSLContext | None:
    """Return the context that redis-py would make of these options, for their server name; None without TLS."""
    if options.get("connection_class") is not SSLConnection:
        return None
    given = {name: value for name, value in options.items() if name.startswith("ssl_")}
    return RedisConnectionTls(server_name=options.get(SERVER_NAME), **given).ssl_context.get()


class RedisConnectionTls(SSLConnection):
    """redis-py's connection, which may expect another name than the host's."""

    def __init__(self, server_name: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        _expect(self.ssl_context.get(), server_name)


def rabbitmq_context(url: str, ca_file: Path | None) -> ssl.SSLContext | None:
    """Return None where the driver makes all that is needed of the address itself."""
    address = urlsplit(url)
    given = dict(parse_qsl(address.query))
    is_own = given.keys() & {"cafile", "no_verify_ssl"} or ca_file is None
    if address.scheme != "amqps" or (is_own and SERVER_NAME not in given):
        return None
    trusted = given.get("cafile", ca_file)
    return _context(trusted, given.get(SERVER_NAME), given.get("certfile"), given.get("keyfile"))


def postgres_context(url: str, ca_file: Path | None) -> ssl.SSLContext | None:
    """Return None where the driver makes all that is needed of the address itself."""
    given = {name: values[-1] for name, values in parse_qs(urlsplit(url).query).items()}
    mode = given.get("sslmode", "prefer")
    is_own = "sslrootcert" in given or ca_file is None
    if mode not in ("verify-ca", "verify-full") or (is_own and SERVER_NAME not in given):
        return None
    trusted = given.get("sslrootcert", ca_file)
    context = _context(trusted, given.get(SERVER_NAME), given.get("sslcert"), given.get("sslkey"))
    context.check_hostname = mode == "verify-full"
    return context


def postgres_address(url: str) -> str:
    """Return the address without what the driver would take for a setting of the session."""
    parts = urlsplit(url)
    given = parse_qsl(parts.query)
    query = [(name, value) for name, value in given if name != SERVER_NAME]
    if query == given:
        return url
    return urlunsplit(parts._replace(query=urlencode(query, safe="/:")))


def refusal(error: BaseException | None) -> str | None:
    """Return why a server's certificate was refused, where that is what an error comes from; for logs."""
    seen: set[int] = set()  # causes may go in a circle: an error may be raised again from what came of it
    while error is not None and id(error) not in seen:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return None


def _context(
    ca_file: Path | str | None, server_name: str | None, certificate: str | None, key: str | None
) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    _expect(context, server_name)
    return context


def _expect(context: ssl.SSLContext, server_name: str | None) -> None:
    """Have certificates verified against this name: drivers know no other than that of the host they connect to."""
    if server_name is None:
        return
    wrap = context.wrap_bio

    def wrap_bio(incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, server_side: bool = False, **_: Any) -> Any:
        return wrap(incoming, outgoing, server_side, server_name)

    context.wrap_bio = wrap_bio  # type: ignore[method-assign, assignment]
