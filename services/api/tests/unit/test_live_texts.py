"""Who reads or changes messages of which none is streamed asks Redis nothing."""

from dataclasses import replace

from pydantic import SecretStr
from synctalk_api.actions.live_texts import LiveTexts
from synctalk_api.store.messages import MessageRow
from synctalk_api.store.streams import Append, Stream, StreamTexts
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.redis_pipeline import RedisPipeline

ROW = MessageRow(
    conversation_id=new_id(),
    seq=1,
    id=new_id(),
    change_seq=1,
    sender_id=new_id(),
    client_message_id="a",
    body="hello",
    reply_to=None,
    mentions=[],
    mention_all=False,
    created_at=utc_now(),
    edited_at=None,
    deleted_at=None,
    pinned_at=None,
    pinned_by=None,
    metadata={},
    forwarded_from=None,
    system=None,
    reactions={},
    reaction_counts={},
)
STREAM = Stream(ROW.id, ROW.conversation_id, ROW.sender_id, "a", "hello")


def an_append(at: int, text: str) -> Append:
    return Append(ROW.id, ROW.conversation_id, ROW.sender_id, at, text)


async def test_messages__that_are_not_streamed__ask_nothing() -> None:
    redis = RedisPipeline(SecretStr("redis://127.0.0.1:1"))
    live = LiveTexts(StreamTexts(redis))

    assert await live.in_messages([ROW.to_model()]) == [ROW.to_model()]
    assert await live.in_list([ROW]) == [ROW]
    assert (await live.in_rows({1: ROW}))[1] is ROW
    assert (redis._opening, redis._retry_at) == (None, 0.0)  # nobody has tried to connect


async def test_message__streamed_while_redis_is_away__has_what_this_process_remembers() -> None:
    live = LiveTexts(StreamTexts(RedisPipeline(SecretStr("redis://127.0.0.1:1"))))
    streaming = replace(ROW, streaming=True)

    assert await live.in_list([streaming]) == [streaming]
    live.copies[ROW.id] = replace(STREAM, text="hello, all")
    assert [row.body for row in await live.in_list([streaming])] == ["hello, all"]


def test_copy__of_what_is_appended_here__grows_and_is_given_up_where_others_appended() -> None:
    live = LiveTexts(StreamTexts(RedisPipeline(SecretStr("redis://127.0.0.1:1"))))
    live.copies[ROW.id] = STREAM
    live.note(an_append(5, " you"), 9)
    live.note(an_append(7, "ou!"), 10)
    live.note(an_append(0, ""), 10)
    grown = live.copies[ROW.id].text
    live.note(an_append(14, "x"), 15)

    assert grown == "hello you!"
    assert live.copies == {}
