"""`/.well-known/jwks.json`: the public keys, by which everybody else verifies access tokens."""

import hashlib
from typing import Literal

from fastapi import APIRouter, Request, Response
from synctalk_contracts.base import Contract
from synctalk_runtime.openapi import refusals

from synctalk_auth.routes.dependencies import ServicesDep

router = APIRouter(tags=["keys"])

MAX_AGE_S = 60


class PublicKey(Contract):
    kid: str
    kty: Literal["EC"]
    crv: Literal["P-256"]
    alg: Literal["ES256"]
    use: Literal["sig"]
    x: str
    y: str


class PublicKeySet(Contract):
    keys: list[PublicKey]


@router.get(
    "/.well-known/jwks.json",
    summary="Get the public keys of access tokens",
    response_model=PublicKeySet,
    responses=refusals() | {304: {"description": "The keys have not changed since the given `ETag`."}},
)
async def get_jwks(services: ServicesDep, request: Request, response: Response) -> PublicKeySet | Response:
    keys = [PublicKey(**jwk) for jwk in services.keyring.public_jwks()]
    etag = _etag(keys)
    headers = {"Cache-Control": f"public, max-age={MAX_AGE_S}", "ETag": etag}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return PublicKeySet(keys=keys)


def _etag(keys: list[PublicKey]) -> str:
    """Return a name for this set of keys: what a `kid` names never changes."""
    kids = ",".join(sorted(key.kid for key in keys))
    return f'"{hashlib.sha256(kids.encode()).hexdigest()[:32]}"'
