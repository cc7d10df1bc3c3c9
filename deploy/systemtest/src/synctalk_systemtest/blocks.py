"""The blocks of Python and JavaScript of a document, run as programs of their own against a running system.

A block is named by a comment on the line before it: `<!-- test: NAME -->`.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from synctalk_local.stack import CHECKOUT

from synctalk_systemtest import programs
from synctalk_systemtest.stack import RunningStack

BLOCK = re.compile(r"<!-- test: (\w+) -->\n+```(python|js)\n(.*?)```", re.DOTALL)
BEGINNING = re.compile(r"```(python|js)\n")
TIMEOUT_S = 60


class Blocks:
    """The named blocks of some texts."""

    def __init__(self, *texts: str) -> None:
        self._blocks = {name: (language, code) for text in texts for name, language, code in BLOCK.findall(text)}
        self._written = sum(len(BEGINNING.findall(text)) for text in texts)

    def untested(self, tests: str) -> list[str]:
        """Return the blocks that these tests do not run; an empty name stands for one without a name."""
        unnamed = [""] * (self._written - len(self._blocks))
        return unnamed + [name for name in self._blocks if f'("{name}"' not in tests]

    @asynccontextmanager
    async def started(
        self, name: str, stack: RunningStack, **environment: str
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run a block until the end of the context."""
        command = await asyncio.to_thread(programs.of_code, *self._blocks[name])
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=CHECKOUT,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "SYNCTALK_URL": stack.url, **environment},
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    async def output_of(self, name: str, stack: RunningStack, **environment: str) -> list[str]:
        """Run a block to its end and return the lines that it printed."""
        async with self.started(name, stack, **environment) as process, asyncio.timeout(TIMEOUT_S):
            assert process.stdout is not None
            printed = (await process.stdout.read()).decode()
            assert await process.wait() == 0
            return printed.splitlines()
