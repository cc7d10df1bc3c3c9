"""Logs hold ids and codes: never a body, a token, a password, nor an exception's words, which may quote them."""

import ast
import re
from typing import Any

import pytest

LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "fatal", "msg", "log", "bind"}
LOGGERS = {"log", "logger", "_log", "structlog", "logging"}
EVENT = re.compile(r"[a-z_]+\.[a-z_]*")
PRIVATE = {
    "authorization", "body", "bodies", "claims", "cookie", "credentials", "custom_status", "data", "display_name",
    "email",
    "headers", "highlight", "internal_secret", "key", "passphrase", "password", "payload", "refresh_token", "secret",
    "text", "title",
    "token", "access_token", "push_token", "username", "ip", "query", "url",
}  # fmt: skip
INNOCENT = {"len", "type", "round", "bool"}
"""Calls whose answer shows nothing of what they were given."""


def shown_too_much(source: Any) -> list[str]:
    """Log calls of the source that could show something private."""
    return [
        f"{source.name}:{call.lineno} {problem}"
        for call in ast.walk(source.tree)
        if isinstance(call, ast.Call) and _is_log(call)
        for problem in _problems(call)
    ]


def _is_log(call: ast.Call) -> bool:
    if not (isinstance(call.func, ast.Attribute) and call.func.attr in LEVELS):
        return False
    logger = call.func.value
    while isinstance(logger, ast.Call | ast.Attribute):
        logger = logger.func if isinstance(logger, ast.Call) else logger.value
    return isinstance(logger, ast.Name) and logger.id in LOGGERS


def _problems(call: ast.Call) -> list[str]:
    found = []
    assert isinstance(call.func, ast.Attribute)
    events = call.args[1:] if call.func.attr == "log" else call.args
    if call.func.attr != "bind" and not (len(events) == 1 and _is_event(events[0])):
        found.append("has no event name of the form subject.what_happened")
    for keyword in call.keywords:
        if keyword.arg is None:
            continue
        if keyword.arg in PRIVATE:
            found.append(f"logs {keyword.arg}")
        found += [f"logs {name}" for name in _names(keyword.value) if name in PRIVATE]
        found += ["logs an exception's words"] if _quotes_an_error(keyword.value) else []
    return found


def _is_event(node: ast.expr) -> bool:
    """A constant, or one with a constant beginning: `f"push.{end}"`."""
    first = node.values[0] if isinstance(node, ast.JoinedStr) and node.values else node
    return isinstance(first, ast.Constant) and isinstance(first.value, str) and bool(EVENT.match(first.value))


def _names(node: ast.AST) -> list[str]:
    """What the value is made of, but what is only counted or measured."""
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") in INNOCENT:
        return []
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return [name for part in (node.func.value, *node.args) for name in _names(part)]
    if isinstance(node, ast.Attribute):  # of a key's or a token's id the id is shown
        return [node.attr]
    own = [node.id] if isinstance(node, ast.Name) else []
    return own + [name for child in ast.iter_child_nodes(node) for name in _names(child)]


def _quotes_an_error(node: ast.expr) -> bool:
    return any(
        isinstance(call, ast.Call)
        and getattr(call.func, "id", "") in ("str", "repr", "format_exc")
        and any(getattr(argument, "id", "") in ("error", "exc", "e", "exception") for argument in call.args)
        for call in ast.walk(node)
    )


def test_logs__of_all_services__show_nothing_private(sources: list[Any]) -> None:
    assert [problem for source in sources for problem in shown_too_much(source)] == []


def test_prints__in_what_runs__are_none(sources: list[Any]) -> None:
    found = [
        f"{source.name}:{node.lineno}"
        for source in sources
        if source.package != "synctalk_fcm"  # a tool for developers, with answers on the terminal
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"
    ]

    assert found == []


@pytest.mark.parametrize(
    "call",
    [
        "log.info('message.sent', body=message.body)",
        "log.info('message.sent', what=message.body)",
        "log.info('message.sent', what=body[:10])",
        "log.info('message.sent', what=f'{password}')",
        "log.info('message.sent', what=password.encode())",
        "log.info('message.sent', what=settings.internal_secret.get_secret_value())",
        "log.info('message.sent', token=1)",
        "structlog.get_logger().info('message.sent', payload=x)",
        "log.bind(authorization=x)",
        "log.info(f'{body}')",
        "log.info('a sentence about', x)",
        "log.info('a sentence')",
        "log.info(event)",
        "log.warning('thing.failed', error=str(error))",
        "log.warning('thing.failed', error=repr(error))",
        "logging.getLogger('x').warning('thing.failed', password)",
    ],
)
def test_check__a_log_call_that_shows_too_much__is_seen(source_of: Any, call: str) -> None:
    assert shown_too_much(source_of("synctalk_api", "actions/a.py", call))


@pytest.mark.parametrize(
    "call",
    [
        "log.info('message.sent', message_id=message.id, characters=len(message.body))",
        "log.warning(f'push.{end}', code=code)",
        "log.exception('thing.failed', error=type(error).__name__)",
        "log.info('commands.unreadable', bytes=len(body))",
        "log.info('key.published', kid=key.kid, at=key.at.isoformat())",
        "math.log(body)",
    ],
)
def test_check__a_log_call_with_ids_and_codes__is_not(source_of: Any, call: str) -> None:
    assert shown_too_much(source_of("synctalk_api", "actions/a.py", call)) == []
