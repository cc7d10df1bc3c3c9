"""The table of rights, row by row, and the docs made of it."""

import pytest
from synctalk_api import rights
from synctalk_api.rights import ALL, BELOW, NONE, RIGHTS, SMALL, Operation
from synctalk_api.rules import DIRECT, GROUP
from synctalk_contracts.models import Role

MARKS = {"-": NONE, "s": SMALL, "<": BELOW, "+": ALL}


@pytest.mark.parametrize(
    ("operation", "row"),
    [  # in a direct conversation; member, moderator, admin, owner of a group
        (Operation.ADD_MEMBERS, "- ++++"),
        (Operation.LEAVE, "- ++++"),
        (Operation.CHANGE_DETAILS, "- --++"),
        (Operation.DESCRIBE, "- -+++"),
        (Operation.SET_ROLES, "- ---+"),
        (Operation.REMOVE_MEMBER, "- --<<"),
        (Operation.DELETE_MESSAGE, "- -<++"),
        (Operation.MENTION_ALL, "- s+++"),
        (Operation.PIN, "+ s+++"),
        (Operation.SEE_REVISIONS, "- -+++"),
    ],
)
def test_right__of_each_role__is_as_documented(operation: Operation, row: str) -> None:
    direct, group = row.split()

    assert RIGHTS[operation].reach(DIRECT, Role.MEMBER) is MARKS[direct]
    assert [RIGHTS[operation].reach(GROUP, role) for role in rights.ORDER] == [MARKS[mark] for mark in group]


def test_right__in_a_small_group__ends_with_20_members() -> None:
    assert [rights.may(Operation.PIN, GROUP, Role.MEMBER, count) for count in (1, 20, 21)] == [True, True, False]
    assert rights.may(Operation.PIN, GROUP, Role.MODERATOR, 21)


def test_rights__are_complete() -> None:
    assert set(RIGHTS) == set(Operation)
    assert set(rights.ORDER) == set(Role)


@pytest.mark.parametrize("role", rights.ORDER)
@pytest.mark.parametrize("other", rights.ORDER)
def test_right__over_lower_roles__reaches_no_equal_one(role: Role, other: Role) -> None:
    below = rights.ORDER.index(other) < rights.ORDER.index(role)

    assert rights.may_to(Operation.REMOVE_MEMBER, GROUP, role, other) is (below and role in (Role.ADMIN, Role.OWNER))
    assert rights.may_to(Operation.REMOVE_MEMBER, DIRECT, role, other) is False
