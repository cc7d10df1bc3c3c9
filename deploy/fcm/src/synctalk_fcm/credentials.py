"""Keys for development: a service account like Firebase's, with addresses of the stand-in, and a key for Web Push."""

import json
import secrets
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

PROJECT = "synctalk-local"
EMAIL = f"notifier@{PROJECT}.iam.gserviceaccount.com"


def write_credentials(path: Path, url: str) -> bool:
    """Write the file, readable by its owner alone; one that fits already is kept. True when it was written."""
    token_uri = f"{url.rstrip('/')}/token"
    if path.exists() and _token_uri(path) == token_uri:
        return False
    _write(path, json.dumps(_service_account(token_uri), indent=2).encode())
    return True


def write_vapid_key(path: Path) -> bool:
    """Write the key that Web Push is signed with, unless there is one: browsers are subscribed with it."""
    if path.exists():
        return False
    key = ec.generate_private_key(ec.SECP256R1())
    _write(
        path,
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )
    return True


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    fresh.touch(mode=0o600)
    fresh.write_bytes(content)
    fresh.replace(path)


def public_key(path: Path) -> str:
    """The key that the account's assertions are checked with, PEM."""
    pem = json.loads(path.read_text())["private_key"]
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    shown = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return shown.decode()


def _token_uri(path: Path) -> str | None:
    try:
        uri = json.loads(path.read_text())["token_uri"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return uri if isinstance(uri, str) else None


def _service_account(token_uri: str) -> dict[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": secrets.token_hex(20),
        "private_key": pem.decode(),
        "client_email": EMAIL,
        "client_id": str(secrets.randbelow(10**21)),
        "token_uri": token_uri,
    }
