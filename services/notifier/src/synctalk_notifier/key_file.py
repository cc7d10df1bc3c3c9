"""The file of the key that pushes to browsers are signed with."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key


def load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Read a private key. Raises OSError, or ValueError when it is no PEM of a key on P-256."""
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("not a key on the curve P-256")
    return key
