from itertools import chain

from synctalk_contracts.internal import PushQuestion
from synctalk_notifier.clients import upstreams
from synctalk_runtime.ids import new_id


def test_push_answers__with_many_quiet_conversations__are_asked_in_several_calls_each_of_whole_users() -> None:
    users = [new_id() for _ in range(10)]
    questions = [
        PushQuestion(
            user_id=user,
            conversation_id=new_id(),
            seq=seq,
            quiet_conversation_ids=[new_id() for _ in range(1_000)] if seq == 0 else [],
        )
        for user in users
        for seq in range(2)
    ]
    chunks = list(upstreams._chunks(questions))

    assert list(chain.from_iterable(chunks)) == questions
    assert [len(chunk) for chunk in chunks] == [6, 6, 6, 2]
    assert list(upstreams._chunks([])) == []
