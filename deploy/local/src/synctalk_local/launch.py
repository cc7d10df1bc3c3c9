"""`python -m synctalk_local.launch FOLDER [USER] -- COMMAND …`: end what a killed predecessor left, become the command.

A forking server that is killed leaves its children behind: nginx's workers keep the port, PostgreSQL's sessions keep
the shared memory, and the next main process could not start. They are known by working in the part's own folder.
"""

import os
import sys
from pathlib import Path

import psutil

from synctalk_local.part import Account
from synctalk_local.strays import end_strays

MODULE = "synctalk_local.launch"


def is_launching(pid: int) -> bool:
    """Whether the process has not become its command yet: the port may still be held by who was killed."""
    try:
        return MODULE in psutil.Process(pid).cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def main() -> None:
    split = sys.argv.index("--")
    folder, *user = sys.argv[1:split]
    command = sys.argv[split + 1 :]
    end_strays(Path(folder), reaped=False)  # its children; the main process itself was reaped by supervisord
    if user:
        account = Account.named(user[0])
        os.setgroups([])
        os.setgid(account.gid)
        os.setuid(account.uid)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
