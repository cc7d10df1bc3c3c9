"""`python -m synctalk_local.launch FOLDER [USER] -- COMMAND …`: end what a killed predecessor left, become the command.

A forking server that is killed leaves its children behind: nginx's workers keep the port, PostgreSQL's sessions keep
the shared memory, and the next main process could not start. They are known by working in the part's own folder.
"""

import os
import sys
from pathlib import Path

from synctalk_local.part import Account
from synctalk_local.strays import end_strays


def main() -> None:
    split = sys.argv.index("--")
    folder, *user = sys.argv[1:split]
    command = sys.argv[split + 1 :]
    end_strays(Path(folder))
    if user:
        account = Account.named(user[0])
        os.setgroups([])
        os.setgid(account.gid)
        os.setuid(account.uid)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
