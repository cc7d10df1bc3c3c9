"""`/.well-known/jwks.json`: the public keys, by which everybody else verifies access tokens."""

from typing import Literal

from fastapi import APIRouter, Response
from synctalk_contracts.base import Contract

from synctalk_auth.routes.dependencies import TheParts, refusals

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


@router.get("/.well-known/jwks.json", summary="The public keys of access tokens", responses=refusals())
async def get_jwks(parts: TheParts, response: Response) -> PublicKeySet:
    response.headers["Cache-Control"] = f"public, max-age={MAX_AGE_S}"
    return PublicKeySet(keys=[PublicKey(**jwk) for jwk in parts.keyring.public_jwks()])
