"""Writes docs/configuration.md and the names of all settings, docs/internal-routes.md, docs/rights.md, and from
the services' routes docs/openapi/ and docs/openapi.json, which has all of them.

python docs/generate.py            write what changed
python docs/generate.py --check    write nothing; fail when anything committed is not up to date
"""

import json
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic_core import PydanticUndefined
from synctalk_api.rights import RIGHTS
from synctalk_contracts.internal_routes import ROUTES
from synctalk_runtime.credentials import USER_HEADER
from synctalk_runtime.settings import RENAMED, SETTING_NAMES, BaseServiceSettings, PostgresSettings

DOCS = Path(__file__).resolve().parent
RUNTIME = DOCS.parent / "libs/runtime/src/synctalk_runtime"
SERVICES = ("auth", "api", "gateway", "presence", "notifier")
WITH_ROUTES = ("auth", "api", "presence", "notifier")
PLACEHOLDERS = {
    "internal_secret": "only-for-the-document",
    "redis_url": "redis://localhost",
    "rabbitmq_url": "amqp://localhost",
    "database_url": "postgresql://localhost/none",
}

SECURITY = {
    "user": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A user's access token."},
    "bot": {"type": "http", "scheme": "bearer", "description": "A bot's token, `stb_…`."},
    "serverKey": {"type": "http", "scheme": "bearer", "description": "A server key, `stk_…`, of a backend."},
    "actingFor": {
        "type": "apiKey",
        "in": "header",
        "name": USER_HEADER,
        "description": "With a server key of the scope `act`: the user for whom the call is made.",
    },
}

INTRO = """\
# Configuration

Generated from the services' `settings.py` by `make contracts`. Set each as an environment variable, or as a file of the
same name in lower case (`synctalk_database_url`) in the folder `SYNCTALK_SECRETS_DIR` (`/run/secrets`). `make up` sets
everything that is required.

A service with an invalid setting does not start, and prints which one and why. In production (`SYNCTALK_ENVIRONMENT`,
the default) it also does not start with:

- RabbitMQ's `guest` account,
- an address without TLS, unless `SYNCTALK_INSECURE_BACKENDS=true`,
- a published `SYNCTALK_INTERNAL_SECRET`,
- `SYNCTALK_FCM_URL`,
- an auth service without `SYNCTALK_SIGNING_KEY_PASSPHRASE`,
- an unknown `SYNCTALK_…` variable; in development it is reported on stderr.
"""


ROUTES_INTRO = """\
# Internal routes

Generated from `libs/contracts` (`internal_routes.py`) by `make contracts`. The services ask each other over HTTP below
`/internal`, which the edge never routes. A caller names itself (`X-Synctalk-Caller`) and shows its secret
(`X-Synctalk-Internal`); whoever is not in a route's list gets the 404 of a route that does not exist. How a secret is
changed: [operations](operations.md#changing-a-secret).
"""


RIGHTS_INTRO = """\
# Rights

Generated from api's `rights.py` by `make contracts`. Who may do what to a conversation and the others in it: owner >
admin > moderator > member. Whoever is no member gets `not_found` before any right is asked. What is about oneself alone
(reading, reacting, editing and deleting one's own messages) every member may.
"""


def settings_of(service: str) -> type[BaseServiceSettings]:
    cls: type[BaseServiceSettings] = import_module(f"synctalk_{service}.settings").Settings
    return cls


def configuration() -> str:
    text = [INTRO, _table("Every service", BaseServiceSettings, skip=set())]
    common = set(BaseServiceSettings.model_fields)
    text.append(_table("Services with tables of their own", PostgresSettings, skip=common))
    common |= set(PostgresSettings.model_fields)
    text += [_table(service, settings_of(service), skip=common) for service in SERVICES]
    text.append(_renamed())
    return "\n".join(text)


def _renamed() -> str:
    rows = [f"| `{old}` | `{new}` |" for old, new in sorted(RENAMED.items())]
    head = ["## Renamed", "", "The old names work for one more release, with a warning at the start.", ""]
    return "\n".join([*head, "| old name | setting |", "|---|---|", *rows, ""])


def _table(title: str, cls: type[BaseServiceSettings], skip: set[str]) -> str:
    rows = [
        f"| `SYNCTALK_{name.upper()}` | {_default(field)} | {field.description or ''} |"
        for name, field in cls.model_fields.items()
        if name not in skip
    ]
    return "\n".join([f"## {title}", "", "| setting | default | what it is |", "|---|---|---|", *rows, ""])


def _default(field: Any) -> str:
    if field.is_required():
        return "must be set"
    if field.default is PydanticUndefined:
        return "the host's name" if field.default_factory.__name__ == "gethostname" else "empty"
    return "none" if field.default is None else f"`{field.default}`"


def openapi(service: str) -> str:
    return _json(document_of(service))


def document_of(service: str) -> dict[str, Any]:
    """Return the public routes of a service as OpenAPI, with who may call each."""
    cls, main = settings_of(service), import_module(f"synctalk_{service}.main")
    values: dict[str, Any] = {name: value for name, value in PLACEHOLDERS.items() if name in cls.model_fields}
    app: FastAPI = main.build(cls(**values))
    document: dict[str, Any] = app.openapi()
    document["paths"] = {path: item for path, item in document["paths"].items() if path.startswith(("/v1", "/.well"))}
    for path, method, security in _security(main.ROUTERS, acts=app.state.credentials.acts):
        document["paths"].get(path, {}).get(method, {})["security"] = security
    document["components"]["securitySchemes"] = SECURITY
    return document


def _security(routers: Iterable[APIRouter], *, acts: bool) -> Iterator[tuple[str, str, list[dict[str, list[str]]]]]:
    """Yield the path, the method and the security of each route, by what it depends on.

    `acts`: a server key may call for a user there.
    """
    for route in (route for router in routers for route in router.routes):
        if not isinstance(route, APIRoute):
            continue
        calls = {getattr(call, "__name__", "") for call in _calls(route.dependant)}
        security: list[dict[str, list[str]]] = []
        if "current_principal" in calls:
            acting: dict[str, list[str]] = {"serverKey": [], "actingFor": []}
            security = [{"user": []}, {"bot": []}, *([acting] if acts else [])]
        elif "server_key" in calls:
            security = [{"serverKey": []}]
        for method in sorted(route.methods or ()):
            yield route.path_format, method.lower(), security


def _calls(dependant: Dependant) -> Iterator[Any]:
    for dependency in dependant.dependencies:
        yield dependency.call
        yield from _calls(dependency)


def merged_openapi() -> str:
    """Return all services' routes as one document. Raises ValueError: two shapes or operations have one name."""
    documents = [document_of(service) for service in WITH_ROUTES]
    merged: dict[str, Any] = {
        "openapi": documents[0]["openapi"],
        "info": {"title": "SyncTalk", "version": "1.0.0"},
        "servers": [{"url": "/", "description": "The origin that serves this document."}],
        "paths": {},
        "components": {"schemas": {}, "securitySchemes": SECURITY},
    }
    for document in documents:
        _add(merged["paths"], document["paths"])
        _add(merged["components"]["schemas"], document["components"]["schemas"])
    names = [operation["operationId"] for item in merged["paths"].values() for operation in item.values()]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"operations of one name: {sorted(repeated)}")
    return _json(merged)


def _add(known: dict[str, Any], further: dict[str, Any]) -> None:
    if different := [name for name, value in further.items() if known.get(name, value) != value]:
        raise ValueError(f"not the same in all services: {different}")
    known |= further


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def wanted() -> dict[Path, str]:
    files = {DOCS / "openapi" / f"{service}.json": openapi(service) for service in WITH_ROUTES}
    files[DOCS / "openapi.json"] = merged_openapi()
    files[DOCS / "configuration.md"] = configuration()
    files[DOCS / "internal-routes.md"] = internal_routes()
    files[DOCS / "rights.md"] = rights()
    files[RUNTIME / SETTING_NAMES] = setting_names()
    return files


def internal_routes() -> str:
    rows = [
        f"| {route.service} | `{route.method} {route.path}` | {', '.join(route.callers)} | {route.exchange} |"
        for route in ROUTES
    ]
    return "\n".join(
        [ROUTES_INTRO, "| service | route | may call it | body → answer |", "|---|---|---|---|", *rows, ""]
    )


def rights() -> str:
    """Return the page of the one table of rights."""
    rows = [
        f"| {operation.value} | "
        + " | ".join(reach.value for reach in (right.direct, right.member, right.moderator, right.admin, right.owner))
        + " |"
        for operation, right in RIGHTS.items()
    ]
    head = "| | in a direct conversation | member of a group | moderator | admin | owner |"
    return "\n".join([RIGHTS_INTRO, head, "|---|---|---|---|---|---|", *rows, ""])


def setting_names() -> str:
    """Return the names by which a process distinguishes another service's setting from a misspelt one."""
    names = {f"SYNCTALK_{name.upper()}" for service in SERVICES for name in settings_of(service).model_fields}
    return "\n".join(sorted(names)) + "\n"


def main(check: bool) -> int:
    stale = {path: text for path, text in wanted().items() if not path.exists() or path.read_text() != text}
    if check:
        for path in stale:
            sys.stderr.write(f"{path.relative_to(DOCS.parent)}: not up to date, run `make contracts`\n")
        return 1 if stale else 0
    for path, text in stale.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
