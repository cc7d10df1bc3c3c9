"""`python -m synctalk_local up [api=N] [gateway=N] | down | clean | ps | logs [NAME] | migrate | key [SCOPES]
| npm ARGUMENTS`."""

import os
import sys

from synctalk_backing.programs import MissingProgramsError

from synctalk_local.commands import docker, web
from synctalk_local.commands.down import clean, down
from synctalk_local.commands.key import key
from synctalk_local.commands.logs import NoLogError, follow
from synctalk_local.commands.ps import ps
from synctalk_local.commands.up import migrate, up
from synctalk_local.node import NodeError
from synctalk_local.stack import Stack, WrongSettingError, stack_from_environment
from synctalk_local.startup.readiness import StartError

EXPECTED = (StartError, MissingProgramsError, WrongSettingError, NoLogError, docker.DockerError, NodeError)


def main() -> int:
    command, *arguments = sys.argv[1:] or ["help"]
    try:
        counts = dict(argument.split("=", 1) for argument in arguments if command == "up" and "=" in argument)
        return _run(command, arguments, stack_from_environment(counts))
    except EXPECTED as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read the answer has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(command: str, arguments: list[str], stack: Stack) -> int:
    if command == "npm":
        return web.npm(stack.checkout, stack.data, arguments, _say)
    containers = docker.is_chosen(stack, starting=command == "up")
    name = arguments[0] if arguments else None
    match command:
        case "up":
            docker.up(stack, _say) if containers else up(stack, _say)
        case "down":
            docker.down(stack) if containers else down(stack, _say)
            docker.forget(stack)
        case "clean":
            docker.clean(stack) if containers else clean(stack, _say)
        case "ps":
            print(docker.ps(stack) if containers else ps(stack))
        case "logs":
            docker.logs(stack, name) if containers else follow(stack, name)
        case "migrate":
            docker.migrate(stack) if containers else migrate(stack, _say)
        case "key":
            print(docker.key(stack, name) if containers else key(stack, name))
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
