"""nginx for one stack: the template of `deploy/edge`, filled with the local addresses."""

import json
import os
import re
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

from synctalk_backing import probe
from synctalk_backing.process import ProcessSpec

from synctalk_local.ports import Ports
from synctalk_local.topology import limits_by_address

# Who dies is skipped at once (a refused connection goes to the next) and asked again a second later.
SERVER = "server {address} max_fails=1 fail_timeout=1s;"

MAX_UNIX_PATH_BYTES = 100

TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")

BALANCED_API = (
    "server {{ listen 127.0.0.1:{port}; client_max_body_size 8m; location / {{ proxy_pass http://api; "
    "proxy_read_timeout 1s; "
    "proxy_next_upstream error timeout non_idempotent; proxy_set_header Host $http_host; "
    'proxy_set_header Connection ""; }} }}'
)
"""For the other services, whose calls may be repeated: none of them changes anything twice."""

DEV_LOCATIONS = "".join(
    f"location ^~ {path} {{{{ proxy_pass http://127.0.0.1:{{fcm}}; }}}} " for path in ("/dev/push", "/dev/webpush/")
)

DEFAULTS = {"EDGE_HSTS": "", "EDGE_IMAGE_SOURCES": "", "EDGE_FILE_ORIGINS": "", **limits_by_address("edge")}


def edge_spec(
    directory: Path, ports: Ports, template: str, nginx: Path, web_root: Path, given: Mapping[str, str]
) -> ProcessSpec:
    """`given` are variables of the template with other values than here."""
    config = directory / "nginx.conf"
    temporary = directory / "tmp"
    gateways = addresses_of_gateways(directory, ports)
    return ProcessSpec(
        name="edge",
        port=ports.edge,
        command=(str(nginx), "-p", f"{directory}/", "-e", "stderr", "-c", str(config)),
        is_ready=lambda: probe.http_answers(f"http://127.0.0.1:{ports.edge}/"),
        directory=directory,
        folders=(directory, temporary),
        files={
            config: render(template, {**variables(directory, ports, web_root, gateways), **given}),
            directory / "mime.types": mime_types(),
        },
        forks=True,  # workers keep the port
        stop_signal="TERM",
        stop_wait_s=5,
    )


def given_in(settings: Mapping[str, str]) -> dict[str, str]:
    """The variables that `SYNCTALK_EDGE_…` settings name, and those of the allowed origins."""
    given = {name: settings[f"SYNCTALK_{name}"] for name in DEFAULTS if f"SYNCTALK_{name}" in settings}
    return given | origins(settings.get("SYNCTALK_ALLOWED_ORIGINS", ""))


def origins(setting: str) -> dict[str, str]:
    """The variables of the origins whose pages may call: by commas or as JSON, as the services read them."""
    listed = json.loads(setting) if setting.lstrip().startswith("[") else setting.split(",")
    allowed = [origin.strip() for origin in listed if origin.strip()]
    if not allowed:
        return {}
    lines = ["default $http_origin;" if origin == "*" else f'"{origin}" "{origin}";' for origin in allowed]
    return {
        "ALLOWED_ORIGINS": "\n        ".join(lines),
        "VARY_ORIGIN": "Origin",
        "EMBEDDING_ORIGINS": " ".join(allowed),
    }


def render(template: str, values: dict[str, str]) -> str:
    """Fill in the variables; one that has no value is an error, not an empty string."""
    return re.sub(r"\$\{([A-Z_]+)\}", lambda match: values[match[1]], _without_comments(template))


def variables(
    directory: Path, ports: Ports, web_root: Path, gateway_addresses: Sequence[str] | None = None
) -> dict[str, str]:
    """`gateway_addresses` where they are not the gateways' TCP ports."""
    gateways = list(enumerate(gateway_addresses or [f"127.0.0.1:{port}" for port in ports.gateways], start=1))
    balanced = [BALANCED_API.format(port=ports.balanced_api)] if len(ports.apis) > 1 else []
    upstream = "upstream gateway_{n} {{ zone gateway_{n} 64k; server {address}; keepalive 32; }}"
    return {
        "EDGE_MAIN": _main(directory),
        "EDGE_HTTP": "\n    ".join(
            [*(f"{kind}_temp_path {directory / 'tmp' / kind};" for kind in TEMPORARY), *balanced]
        ),
        "EDGE_WORKERS": "auto",
        "EDGE_NAME": "",
        "EDGE_LISTEN": listen_lines(ports.edge),
        "MIME_TYPES": str(directory / "mime.types"),
        "AUTH_SERVERS": _server(ports.auth),
        "API_SERVERS": "\n        ".join(_server(port) for port in ports.apis),
        "PRESENCE_SERVERS": _server(ports.presence),
        "NOTIFIER_SERVERS": _server(ports.notifier),
        "GATEWAY_SERVERS": "\n        ".join(SERVER.format(address=address) for _, address in gateways),
        "GATEWAY_UPSTREAMS": "\n    ".join(upstream.format(n=n, address=address) for n, address in gateways),
        "GATEWAY_ROUTES": "\n        ".join(f"~^gateway-{n}\\. gateway_{n};" for n, _ in gateways),
        "DEV_LOCATIONS": DEV_LOCATIONS.format(fcm=ports.fcm),
        "DOCS_LOCATION": "",
        "WEB_ROOT": str(web_root),
        "EDGE_UPLOADS": str(uploads_folder(directory.parent)),
        "EDGE_UPLOADS_TEMPORARY": f"client_body_temp_path {directory / 'tmp' / 'uploads'};",
        "TRUSTED_PROXIES": "",
        "TRUSTED_RANGES": "",
        "ALLOWED_ORIGINS": "",
        "VARY_ORIGIN": "",
        "EMBEDDING_ORIGINS": "",
        **DEFAULTS,
    }


def _server(port: int) -> str:
    return SERVER.format(address=f"127.0.0.1:{port}")


def addresses_of_gateways(directory: Path, ports: Ports) -> list[str]:
    """Return where the gateways take the edge's connections: Unix sockets, or TCP where a path would be too long."""
    return [
        f"unix:{path}" if (path := unix_socket(directory.parent / f"gateway-{number}")) else f"127.0.0.1:{port}"
        for number, port in enumerate(ports.gateways, start=1)
    ]


def uploads_folder(data: Path) -> Path:
    """Return where the edge writes uploads, in the folder that api has its files in."""
    return data / "files" / "uploads"


def unix_socket(directory: Path) -> Path | None:
    """A gateway's Unix socket, which costs a quarter of loopback TCP for each message that passes."""
    path = directory / "http.sock"
    return path if len(os.fsencode(path)) < MAX_UNIX_PATH_BYTES else None


def listen_lines(port: int) -> str:
    """The loopback addresses that `localhost` may mean here. Dead peers are noticed by keepalive in half a minute."""
    options = "backlog=4096 so_keepalive=15s:5s:3"
    lines = [f"listen 127.0.0.1:{port} default_server {options};"]
    if _has_ipv6():
        lines.append(f"listen [::1]:{port} default_server {options};")
    return "\n        ".join(lines)


def mime_types() -> str:
    """nginx's own table where the package has it at the usual place, else what a web client consists of."""
    for place in ("/etc/nginx/mime.types", "/opt/homebrew/etc/nginx/mime.types", "/usr/local/etc/nginx/mime.types"):
        if Path(place).exists():
            return Path(place).read_text()
    return (
        "types { text/html html; text/css css; application/javascript js mjs; application/json json map; "
        "image/svg+xml svg; image/png png; image/x-icon ico; font/woff2 woff2; "
        "application/manifest+json webmanifest; }\n"
    )


def _main(directory: Path) -> str:
    lines = ["daemon off;", f"pid {directory}/nginx.pid;"]
    if os.geteuid() == 0:
        lines.append("user root;")  # the checkout may be closed to others (/root): workers must read the web client
    return "\n".join(lines)


def _without_comments(template: str) -> str:
    return "\n".join(line for line in template.splitlines() if not line.lstrip().startswith("#"))


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as candidate:
            candidate.bind(("::1", 0))
    except OSError:
        return False
    return True
