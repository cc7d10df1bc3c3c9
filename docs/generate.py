"""Writes docs/configuration.md and the names of all settings, and docs/openapi/ from the services' routes.

python docs/generate.py            write what changed
python docs/generate.py --check    write nothing; fail when anything committed is not up to date
"""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic_core import PydanticUndefined
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
    cls = settings_of(service)
    values: dict[str, Any] = {name: value for name, value in PLACEHOLDERS.items() if name in cls.model_fields}
    app = import_module(f"synctalk_{service}.main").build(cls(**values))
    document = app.openapi()
    document["paths"] = {path: item for path, item in document["paths"].items() if path.startswith(("/v1", "/.well"))}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def wanted() -> dict[Path, str]:
    files = {DOCS / "openapi" / f"{service}.json": openapi(service) for service in WITH_ROUTES}
    files[DOCS / "configuration.md"] = configuration()
    files[RUNTIME / SETTING_NAMES] = setting_names()
    return files


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
