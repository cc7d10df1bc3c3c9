"""The rules, as tables."""

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from synctalk_api import rules
from synctalk_api.rules import Candidate
from synctalk_contracts.models import Role
from synctalk_contracts.topology import PARTITIONS

OWNER, ADMIN, MODERATOR, MEMBER = Role.OWNER, Role.ADMIN, Role.MODERATOR, Role.MEMBER
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("actor", "edit"), [("ada", True), ("ben", False)])
def test_message_of_ada__who_may_edit(actor: str, edit: bool) -> None:
    assert rules.may_edit(actor, "ada") is edit


def test_first_role__in_a_direct_conversation__nobody_is_above() -> None:
    assert rules.first_role(rules.DIRECT, is_creator=True) is MEMBER
    assert rules.first_role(rules.GROUP, is_creator=True) is OWNER
    assert rules.first_role(rules.GROUP, is_creator=False) is MEMBER


@pytest.mark.parametrize(
    ("remaining", "successor"),
    [
        ([], None),
        ([("a", MEMBER, 2), ("b", MEMBER, 1)], "b"),
        ([("a", MEMBER, 1), ("b", ADMIN, 5), ("c", ADMIN, 4)], "c"),
        ([("a", MEMBER, 1), ("b", MODERATOR, 5), ("c", MODERATOR, 4)], "c"),
        ([("a", MODERATOR, 1), ("b", ADMIN, 5)], "b"),
        ([("b", ADMIN, 1), ("a", ADMIN, 1)], "a"),
    ],
)
def test_successor__is_of_the_highest_role_then_the_earliest(
    remaining: list[tuple[str, Role, int]], successor: str | None
) -> None:
    candidates = [Candidate(name, role, NOW + timedelta(days=day)) for name, role, day in remaining]

    assert rules.successor(candidates) == successor


@pytest.mark.parametrize(
    ("body", "candidates"),
    [
        ("no one", []),
        ("@ada", [["ada"]]),
        ("@ADA @ada", [["ada"]]),
        ("hi @ada.", [["ada.", "ada"]]),
        ("@ada_-.", [["ada_-.", "ada_-", "ada_", "ada"]]),
        ("mail a@ada.org", []),
        ("@@ada", []),
        ("@ab", []),
        ("(@ada) @ben", [["ada"], ["ben"]]),
        ("@" + "a" * 33, []),
        ("hi,@ada", [["ada"]]),
        ("你好，@ada！", [["ada"]]),
        ('"@ada"?!', [["ada"]]),
        ("@ada's", [["ada"]]),
        ("看https://example.com/x。@ada", [["ada"]]),
        ("`x` @ada", [["ada"]]),
        ("a ` b @ada", [["ada"]]),
        ("`a\n@ada`", [["ada"]]),
        ("@" + "ada" + "." * 7_990, [["ada" + "." * n for n in range(29, -1, -1)]]),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_mention_candidates(body: str, candidates: list[list[str]]) -> None:
    assert rules.mention_candidates(body) == candidates


@pytest.mark.parametrize(
    "body",
    [
        "```\n@bob\n```",
        "```py\n@bob\n``` and `@bob`",
        "use `@bob`",
        "``@bob``",
        "https://social.example/@bob",
        "https://example.com/?to=(@bob)",
        "HTTPS://example.com/a,@bob",
        "www.example.com/?(@bob)",
        "mailto:x?cc=,@bob",
        "social.example/@bob",
        "josé@bob",
        "我@bob",
        "हि@bob",
        "иван@bob",
        "e\u0301@bob",
        "a.@bob",
        "a+@bob",
        "@bobé",
        "@bob@example.com",
        "@bob/repository",
        "@@bob",
        "\\@bob",
    ],
)
def test_mention_candidates__in_code_or_an_address_or_on_a_word__are_none(body: str) -> None:
    assert rules.mention_candidates(body) == []


@pytest.mark.parametrize(
    "piece",
    ["`", "``` ", "`a", "a.", "@ada", "@", "@ada.", " @ada", "://", "https://a@", "www.", "@.", "`\n", "```", "ab `@"],
)
def test_mention_candidates__of_the_longest_body__are_found_at_once(piece: str) -> None:
    body = (piece * 8_000)[:8_000]
    took = []
    for _ in range(3):
        began = time.process_time()
        rules.mention_candidates(body)
        took.append(time.process_time() - began)

    assert min(took) < 0.005


def test_mentioned__the_longest_name_that_is_a_member() -> None:
    members = {"ada": "1", "ada.": "2", "ben": "3"}

    found = rules.mentioned([["ada.", "ada"], ["ben"], ["eve"], ["ada"], ["ben"]], members)
    assert found == rules.Mentions(["2", "3", "1"])


def test_mentioned__all__is_everybody_and_never_a_member_of_that_name() -> None:
    members = {"all": "1", "all.": "2", "ada": "3"}

    assert rules.mentioned([["ada"], ["all"]], members) == rules.Mentions(["3"], all=True)
    assert rules.mentioned([["all.", "all"]], {"all": "1"}) == rules.Mentions([], all=True)
    assert rules.mentioned([["all.", "all"]], members) == rules.Mentions(["2"])


@pytest.mark.parametrize(
    ("username", "name", "phrases"),
    [
        ("ada", "Ada Lovelace", ["ada", "ada lovelace", "lovelace"]),
        ("ADA", "  ", ["ada"]),
        ("x-y", "Straße\u00a0ＡＢ", ["ab", "strasse ab", "x-y"]),
        ("jose", "José", ["jose"]),
        ("zoe", "Anne-Zoe\u0308", ["anne-zoe", "zoe"]),
        ("wang", "王小明", ["wang", "小明", "明", "王小明"]),
        ("alireza", "علی\u200cرضا", ["alireza", "رضا", "علی\u200cرضا"]),
    ],
)
def test_phrases(username: str, name: str, phrases: list[str]) -> None:
    assert rules.phrases(username, name) == phrases


def test_phrases__are_bounded() -> None:
    found = rules.phrases("u" * 32, " ".join(["word"] * 1000))

    assert len(found) <= 34
    assert max(map(len, found)) <= 64


@pytest.mark.parametrize(
    ("found", "limit", "reach"),
    [([], 2, 9), ([3, 4], 2, 9), ([3, 4, 5], 2, 4), ([3, 4, 8], 2, 7), ([1, 1, 1], 2, 0), ([5], 0, 4)],
)
def test_reach__stops_before_what_is_left_out(found: list[int], limit: int, reach: int) -> None:
    assert rules.reach(found, limit, 9) == reach


@pytest.mark.parametrize(("cursor", "reset"), [(0, True), (4, True), (5, False), (15, False), (16, True)])
def test_must_reset(cursor: int, reset: bool) -> None:
    assert rules.must_reset(cursor, 15, 10) is reset


def test_digest__distinguishes_all_that_is_said() -> None:
    said: list[tuple[str, str | None, dict[str, Any]]] = [
        ("a", None, {}), ("b", None, {}), ("a", "x", {}), ("xa", None, {}), ("a\0x", None, {}),
        ("a", None, {"metadata": {"n": 1}}), ("a", None, {"metadata": {"n": 2}}), ("a", None, {"forward": {"n": 1}}),
    ]  # fmt: skip
    digests = {rules.digest(*each) for each in said}

    assert len(digests) == 8


def test_direct_id__is_a_uuid_of_version_7_at_the_time_of_the_younger_account() -> None:
    old, young = "01890a5d-ac96-774b-bcce-b302099a8057", "019f3c00-0001-7abc-8000-000000000001"
    ids = {rules.direct_id(rules.direct_key(one, other)) for one, other in ((old, young), (young, old))}
    others = {rules.direct_id(rules.direct_key(f"{young[:-4]}{n:04x}", old)) for n in range(1_000)}

    (found,) = map(UUID, ids)
    assert (found.version, found.variant, str(found)[:13]) == (7, RFC_4122, young[:13])
    assert len(others) == 1_000


def test_direct_key__is_the_same_for_both() -> None:
    assert rules.direct_key("b", "a") == rules.direct_key("a", "b") == "a:b"


# ── shares of the partitions ─────────────────────────────────────────────────────────────────────────────────────────


@given(st.lists(st.lists(st.sampled_from(["a", "b", "c", "d", "e", "f", "g"]), unique=True), min_size=1, max_size=6))
def test_shares__whoever_comes_and_goes__are_fair_and_stay_when_nothing_changes(rounds: list[list[str]]) -> None:
    owners: list[str] = []
    for processes in rounds:
        before, owners = owners, rules.share_partitions(owners, processes)
        if not processes:
            assert owners == before
            continue
        shares = Counter(owners)
        assert len(owners) == PARTITIONS
        assert set(shares) == set(processes)
        assert max(shares.values()) - min(shares.values()) <= 1
        assert rules.share_partitions(owners, processes) == owners


@pytest.mark.parametrize("count", range(1, 9))
def test_shares__one_comes_or_goes__only_a_share_moves(count: int) -> None:
    processes = [f"api-{n}" for n in range(count)]
    owners = rules.share_partitions([], processes)
    more = rules.share_partitions(owners, [*processes, "new"])
    fewer = rules.share_partitions(more, processes)

    assert {after for before, after in zip(owners, more, strict=True) if before != after} == {"new"}
    assert {before for before, after in zip(more, fewer, strict=True) if before != after} == {"new"}


@pytest.mark.parametrize(
    ("claimed", "found", "fits"),
    [
        ("image/png", "image/jpeg", True),
        ("image/png", "text/html", False),
        ("image/svg+xml", "image/svg+xml", True),
        ("video/mp4", "audio/mp4", True),
        ("audio/ogg", "image/png", False),
        ("text/plain", "text/html", True),
        ("application/octet-stream", "image/png", True),
    ],
)
def test_type_fits__of_what_is_announced_and_what_came(claimed: str, found: str, fits: bool) -> None:
    assert rules.type_fits(claimed, found) is fits
