"""What npm packs installs by itself, and runs and type-checks in a project that has nothing else."""

import asyncio
import json
import subprocess
from pathlib import Path

import pytest
from synctalk_local.commands.key import key
from synctalk_local.stack import CHECKOUT
from synctalk_systemtest import programs
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import new_name

PACKAGE = Path(__file__).parents[1]
PROGRAM = """
import { bot, Client } from '@synctalk/client'
import { Server } from '@synctalk/client/server'

const server = new Server(process.env.SYNCTALK_URL, process.env.SYNCTALK_KEY)
const { token } = await server.createBot(process.env.BOT_NAME, 'Packed')
const client = await Client.signIn(process.env.SYNCTALK_URL, bot(token))
for await (const { type } of client.events()) {
  if (type !== 'connected') continue
  const group = await client.rest.createGroup('From a package')
  console.log((await client.send(group.id, 'It works.')).body)
  client.close()
}
"""
TYPED = """
import { bot, CallError, Client, type Message, type OutboxStore } from '@synctalk/client'
import { fileOutbox } from '@synctalk/client/outbox'
import { Server, verified } from '@synctalk/client/server'

export async function last(url: string, token: string): Promise<Message | undefined> {
  const client = await Client.signIn(url, bot(token))
  for await (const event of client.events()) if (event.type === 'message.created') return event.message
  return undefined
}
export const seen = async (server: Server, name: string): Promise<string> => (await server.user(name)).display_name
export const idOf = (body: string): string => verified('whsec_AAAA', {}, body).id
export const outboxOf = (name: string): OutboxStore => fileOutbox(name)
export const isOurs = (error: unknown): boolean => error instanceof CallError && error.code === 'forbidden'
"""
WRONG = "\nexport const wrong: number = new Server('', '').url\n"

pytestmark = pytest.mark.timeout(300)


def run(folder: Path, *command: str | Path, **environment: str) -> str:
    given = {**programs.node_environment(), **environment}
    done = subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of nothing but the package."""
    folder = tmp_path_factory.mktemp("project")
    programs.node_with_client()
    # It is built, and others may be running it.
    run(PACKAGE, "npm", "pack", "--ignore-scripts", "--pack-destination", folder)
    [tarball] = folder.glob("synctalk-client-*.tgz")
    (folder / "package.json").write_text(json.dumps({"name": "empty", "type": "module"}))
    run(folder, "npm", "install", "--no-audit", "--no-fund", "--prefer-offline", tarball)
    return folder


def test_package__has_what_is_built_and_nothing_else(project: Path) -> None:
    package = project / "node_modules/@synctalk/client"
    files = {path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()}
    entries = {"dist/index.js", "dist/index.d.ts", "dist/server.d.ts", "dist/outbox.d.ts"}
    assert {"README.md", "package.json", *entries} <= files
    assert {path for path in files if not path.startswith("dist/")} == {"README.md", "package.json"}
    assert {Path(path).suffix for path in files if path.startswith("dist/")} == {".js", ".ts"}


async def test_program__runs_with_the_package_alone(stack: RunningStack, project: Path) -> None:
    (project / "program.js").write_text(PROGRAM)
    given = {
        "SYNCTALK_URL": stack.url,
        "SYNCTALK_KEY": await asyncio.to_thread(key, stack.stack, None),
        "BOT_NAME": f"packed-{new_name().lower()}",
    }
    assert await asyncio.to_thread(lambda: run(project, "node", "program.js", **given)) == "It works.\n"


def test_types__are_checked(project: Path) -> None:
    options = {"strict": True, "noEmit": True, "module": "NodeNext", "target": "ES2022", "types": []}
    (project / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "include": ["typed.ts"]}))
    tsc = CHECKOUT / "node_modules/.bin/tsc"

    (project / "typed.ts").write_text(TYPED)
    run(project, tsc)
    (project / "typed.ts").write_text(TYPED + WRONG)
    with pytest.raises(AssertionError, match="error TS"):
        run(project, tsc)
