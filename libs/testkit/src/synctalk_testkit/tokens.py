"""Access tokens as auth makes them, and the key set that services verify them by, without auth.

`TokenMaker` signs; `KeyServer` answers `/.well-known/jwks.json`, so a service under test gets its url as AUTH_URL.
"""

import json
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

ISSUER = AUDIENCE = "synctalk"
ALGORITHM = "ES256"
JWKS_PATH = "/.well-known/jwks.json"


class TokenMaker:
    """One signing key."""

    def __init__(self, issuer: str = ISSUER, audience: str = AUDIENCE) -> None:
        self.kid = uuid.uuid4().hex
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._issuer = issuer
        self._audience = audience

    def mint(
        self,
        user_id: str | None = None,
        session_id: str | None = None,
        *,
        lifetime_s: float = 900,
        without: tuple[str, ...] = (),
        **claims: Any,
    ) -> str:
        """A token for the user. `claims` replace or add; `without` leaves some out, to show they are required."""
        now = time.time()
        payload: dict[str, Any] = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": user_id or str(uuid.uuid4()),
            "sid": session_id or str(uuid.uuid4()),
            "iat": int(now),
            "exp": int(now + lifetime_s),
            "jti": uuid.uuid4().hex,
        } | claims
        kept = {name: value for name, value in payload.items() if name not in without}
        return jwt.encode(kept, self._key, algorithm=ALGORITHM, headers={"kid": self.kid})

    def public_keys(self) -> dict[str, Any]:
        """The JWKS document."""
        key = ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [key | {"kid": self.kid, "alg": ALGORITHM, "use": "sig"}]}


class KeyServer:
    """Serves a maker's key set from a thread of its own, whatever loop the test runs in."""

    def __init__(self, maker: TokenMaker) -> None:
        body = json.dumps(maker.public_keys()).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = self.path == JWKS_PATH
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body) if found else 0))
                self.end_headers()
                if found:
                    self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "KeyServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
