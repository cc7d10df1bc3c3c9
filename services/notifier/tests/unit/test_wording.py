"""What a push says, by the user's settings and the device's language."""

import pytest
from synctalk_contracts.internal import PushAnswer
from synctalk_contracts.models import PushData
from synctalk_notifier.kinds import Content, PushKind
from synctalk_notifier.wording import Shown, push_data, shown

ID = "018f0000-0000-7000-8000-000000000001"


def data(content: Content, *, kind: PushKind = "message", title: str | None = "Team", text: str = "hello") -> PushData:
    answer = PushAnswer(
        member=True, delivered=False, read=False, deleted=False, badge=3, sender_name="Ada", title=title
    )
    return push_data(kind, ID, ID, 7, thread_id=None, text=text, content=content, answer=answer)


@pytest.mark.parametrize(
    ("content", "said"),
    [("full", ("Ada", "Team", "hello")), ("sender", ("Ada", "Team", "")), ("none", ("", "", ""))],
)
def test_push_data__says_what_content_allows(content: Content, said: tuple[str, str, str]) -> None:
    made = data(content)
    assert (made.sender_name, made.title, made.text) == said
    assert (made.seq, made.badge, made.thread_id) == ("7", "3", "")


def test_push_data__of_a_retraction__says_nothing() -> None:
    made = data("full", kind="retract")
    assert (made.sender_name, made.title, made.text) == ("", "", "")
    assert shown(made, "de") is None


@pytest.mark.parametrize(
    ("content", "title", "text", "locale", "expected"),
    [
        ("full", "Team", "hello", "de", Shown("Team", "Ada: hello")),
        ("full", None, "hello", "de", Shown("Ada", "hello")),
        ("full", None, "", "en-GB", Shown("Ada", "New message")),
        ("sender", "Team", "hello", None, Shown("Team", "New message from Ada")),
        ("sender", "Team", "hello", "de-AT", Shown("Team", "Neue Nachricht von Ada")),
        ("sender", "Team", "hello", "AR", Shown("Team", "رسالة جديدة من Ada")),
        ("sender", None, "hello", "ar-EG", Shown("Ada", "رسالة جديدة")),
        ("none", "Team", "hello", "de", Shown(None, "Neue Nachricht")),
        ("none", None, "hello", "fr", Shown(None, "New message")),
    ],
)
def test_shown__in_the_language_of_the_device(
    content: Content, title: str | None, text: str, locale: str | None, expected: Shown
) -> None:
    assert shown(data(content, title=title, text=text), locale) == expected
