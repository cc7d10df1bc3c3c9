"""The running system as a side: reached through its edge, its processes as `ps` names them."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from synctalk_local.stack import Stack

from synctalk_bench.load.accounts import Accounts
from synctalk_bench.load.crew import LoadError
from synctalk_bench.load.settings import Settings
from synctalk_bench.load.side import Member

RESTART_TIMEOUT_S = 60.0


class Ours:
    name = "ours"

    def __init__(self, stack: Stack) -> None:
        self.url = stack.address
        self.users: Sequence[Member] = ()
        self.groups: Sequence[str] = ()
        self.pairs: Sequence[str] = ()
        self.room = ""
        self._accounts_path = stack.data / "bench" / "accounts.json"

    async def prepare(self, settings: Settings, say: Callable[[str], None]) -> None:
        self.processes()  # says at once when nothing is running
        book = await Accounts(self.url, self._accounts_path, say).prepare(settings)
        self.users = [Member(account.user_id, account.access_token) for account in book.accounts[: settings.users]]
        self.groups, self.pairs, self.room = book.groups, book.pairs, book.room

    def processes(self) -> Mapping[str, int]:
        rows = _rows()
        away = [name for name, _, state in rows if state != "running"]
        if away:
            raise LoadError(f"The system is not running ({', '.join(away)}): start it with `make up`.")
        return {name: pid for name, pid, _ in rows}

    def socket_holders(self) -> Sequence[str]:
        return [name for name in self.processes() if name.startswith("gateway-")]

    async def refresh_socket_holders(self) -> None:
        """Stop a gateway, which drains, and wait until its supervisor has started it again."""
        for name in self.socket_holders():
            old = self.processes()[name]
            os.kill(old, signal.SIGTERM)
            await self._until_replaced(name, old)

    async def _until_replaced(self, name: str, old: int) -> None:
        end = time.monotonic() + RESTART_TIMEOUT_S
        while time.monotonic() < end:
            rows = await asyncio.to_thread(_rows)
            if any(row[0] == name and row[1] not in (0, old) and row[2] == "running" for row in rows):
                return
            await asyncio.sleep(0.2)
        raise LoadError(f"{name} was stopped and did not come back within {RESTART_TIMEOUT_S:.0f} s.")


def _rows() -> list[tuple[str, int, str]]:
    """NAME, PID and STATE of each line that `ps` prints."""
    done = subprocess.run(
        [sys.executable, "-m", "synctalk_local", "ps"], capture_output=True, text=True, check=False, timeout=30
    )
    if done.returncode != 0:
        raise LoadError(f"The running system cannot be listed: {done.stderr.strip()}")
    lines = [line.split() for line in done.stdout.splitlines()[1:]]
    return [(name, int(pid) if pid.isdigit() else 0, state) for name, pid, _, state in lines]
