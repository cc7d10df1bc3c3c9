"""`make contracts`: writes schemas/, docs/asyncapi.yaml, deploy/accounts/ and the web client's types from the models.

    python libs/contracts/generate.py            write what changed
    python libs/contracts/generate.py --check    write nothing; fail when anything committed is not up to date
    … --without-web                              leave the web client's types alone

An incompatible change of a published version is refused, not written: give the changed shape a new version instead.
"""

import json
import subprocess
import sys
from pathlib import Path

import yaml
from synctalk_contracts import accounts, registry
from synctalk_contracts.asyncapi import document
from synctalk_contracts.compatibility import incompatibilities, schema_of

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "libs/contracts/schemas"
CLIENT = ROOT / "clients/js"
ACCOUNTS = ROOT / "deploy/accounts"


def wanted() -> dict[Path, str]:
    """Every generated file with its content."""
    files = {
        SCHEMAS / f"{name}.json": json.dumps(schema_of(model), indent=2, sort_keys=True) + "\n"
        for name, model in registry.schemas().items()
    }
    files[ROOT / "docs/asyncapi.yaml"] = yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=110)
    return files | account_files()


def account_files() -> dict[Path, str]:
    """Return the services' accounts at Redis and RabbitMQ; deploy/docker/secrets.sh puts passwords for `@names@`."""
    users = [accounts.redis_user(service, [f"@{service}_redis_password@"]) for service in accounts.ACCESS]
    passwords = {service: f"@{service}_rabbitmq_password@" for service in accounts.ACCESS}
    passwords[accounts.ADMINISTRATOR] = "@rabbitmq_password@"
    definitions = json.dumps(accounts.rabbitmq_definitions(passwords), indent=2)
    return {
        ACCOUNTS / "redis.acl": "\n".join(users) + "\n",
        ACCOUNTS / "rabbitmq.json": definitions + "\n",
        ACCOUNTS / "rabbitmqctl.txt": "\n".join(accounts.rabbitmqctl()) + "\n",
    }


def refuse_incompatible(files: dict[Path, str]) -> list[str]:
    problems = []
    for path, content in files.items():
        if path.is_relative_to(SCHEMAS) and path.exists():
            from_client = path.is_relative_to(SCHEMAS / "to_server")
            found = incompatibilities(json.loads(path.read_text()), json.loads(content), from_client=from_client)
            problems += [f"{path.relative_to(ROOT)}: {problem}" for problem in found]
    published = set(SCHEMAS.rglob("*.json"))
    problems += [f"{path.relative_to(ROOT)}: was published and is gone" for path in published - files.keys()]
    return problems


def web_types(check: bool) -> int:
    """The TypeScript types, by the script of the JavaScript client; nothing to do where no packages are installed."""
    if not (ROOT / "node_modules").exists():
        return 0
    command = ["npm", "run", "--silent", "contracts", *(["--", "--check"] if check else [])]
    return subprocess.run(command, cwd=CLIENT, check=False).returncode  # noqa: S603


def main(*, check: bool, web: bool) -> int:
    files = wanted()
    problems = refuse_incompatible(files)
    if check:
        problems += [
            f"{path.relative_to(ROOT)}: not up to date, run `make contracts`"
            for path, content in files.items()
            if not path.exists() or path.read_text() != content
        ]
    if problems:
        sys.stderr.write("\n".join(problems) + "\n")
        return 1
    if not check:
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
    return web_types(check) if web else 0


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:], web="--without-web" not in sys.argv[1:]))
