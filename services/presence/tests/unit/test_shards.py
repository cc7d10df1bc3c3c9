import re

from synctalk_contracts.topology import presence_shard
from synctalk_presence.store import shards
from synctalk_runtime.ids import new_id


def test_keys__of_one_user__lie_in_one_slot() -> None:
    user_id = new_id()
    shard = presence_shard(user_id)
    keys = (
        shards.due_key(shard),
        shards.sweep_key(shard),
        shards.leases_key(user_id),
        shards.user_key(user_id),
    )
    assert {re.findall(r"\{(.*?)\}", key)[0] for key in keys} == {str(shard)}


def test_by_shard__all_users__each_once() -> None:
    users = [new_id() for _ in range(200)]
    spread = shards.by_shard(users)
    assert sorted(u for members in spread.values() for u in members) == sorted(users)
    assert len(spread) > shards.SHARDS // 2
