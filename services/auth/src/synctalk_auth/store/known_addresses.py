"""Redis keys `auth:known:<account>:<address>`: the addresses from which accounts were signed in to.

Losing them only makes limits stricter, so they live nowhere else.
"""

from synctalk_runtime.redis import Client, answering


async def remember(client: Client, account: str, address: str, keep_s: int) -> None:
    """Remember that the account was signed in to from there. Raises UnavailableError."""
    with answering():
        await client.set(_key(account, address), "1", ex=keep_s)


async def is_known(client: Client, account: str, address: str) -> bool:
    """Return whether the account was signed in to from there lately. Raises UnavailableError."""
    with answering():
        return bool(await client.exists(_key(account, address)))


def _key(account: str, address: str) -> str:
    return f"auth:known:{account}:{address}"
