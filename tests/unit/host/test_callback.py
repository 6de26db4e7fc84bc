"""The answer of a page of consent: only our own question's, only once, and never shown."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import httpx
import pytest

from hub.contract import AuthorizationError, ConfigurationError
from hub.host.callback import Answer, Answers, Callback, accepted_code, new_state, read_answer


def code_of(answer: Answer, *, stateless: bool = False) -> str:
    return accepted_code(answer, "ours", where="shop", cause="The likely cause.", stateless=lambda: stateless)


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def callback(answers: Answers) -> Iterator[Callback]:
    with Callback(0, answers) as opened:
        yield opened


def test_states_are_long_and_never_the_same() -> None:
    assert len({new_state() for _ in range(50)}) == 50
    assert len(new_state()) >= 43


def test_answer_to_our_question_gives_its_code() -> None:
    assert code_of(Answer("abc", "ours")) == "abc"


@pytest.mark.parametrize("state", ["", "other", "OURS", "ours ", "our\u017f", "\udcff"])
def test_answer_with_another_state_is_refused(state: str) -> None:
    with pytest.raises(AuthorizationError, match="state-wrong"):
        code_of(Answer("abc", state), stateless=True)


def test_answer_without_state_is_taken_only_on_a_persons_word() -> None:
    with pytest.raises(AuthorizationError, match="--accept-app-store"):
        code_of(Answer("abc", None))
    assert code_of(Answer("abc", None), stateless=True) == "abc"


@pytest.mark.parametrize(
    "answer",
    [
        Answer("null", None, "auth_denied"), Answer("null", "ours", None), Answer("", "ours"), Answer(None, "ours"),
        Answer("abc", "ours", "access_denied"),
    ],
)  # fmt: skip
def test_refusal_names_the_likely_cause(answer: Answer) -> None:
    with pytest.raises(AuthorizationError, match="consent-refused") as caught:
        code_of(answer)
    assert caught.value.do == "The likely cause."
    assert (answer.error or "no code came") in caught.value.what


def test_refusal_with_another_state_is_not_ours() -> None:
    with pytest.raises(AuthorizationError, match="state-wrong"):
        code_of(Answer("null", "other", "auth_denied"))


@pytest.mark.parametrize("error", ["canary code=x", "a\x1b[31m", "x y", "\u0430uth"])
def test_error_that_is_no_word_is_not_shown(error: str) -> None:
    with pytest.raises(AuthorizationError) as caught:
        code_of(Answer("null", "ours", error))
    assert error not in str(caught.value)


def test_answer_shows_neither_code_nor_state() -> None:
    assert "abc" not in repr(Answer("abc", "abc"))


@pytest.mark.parametrize(
    ("address", "answer"),
    [
        ("http://127.0.0.1:8722/callback?code=a&state=b", Answer("a", "b")),
        ("  https://app.example/back?x=1&state=b&code=a%2F%3D\n", Answer("a/=", "b")),
        ("/callback?code=null&error=auth_denied", Answer("null", None, "auth_denied")),
        ("?code=a", Answer("a", None)),
        ("http://127.0.0.1/callback", None), ("hello", None), ("", None), ("http://[::1?code=a", None),
    ],
)  # fmt: skip
def test_address_is_read_however_it_came(address: str, answer: Answer | None) -> None:
    assert read_answer(address) == answer


def test_callback_hands_over_what_the_browser_brings(answers: Answers, callback: Callback) -> None:
    page = httpx.get(f"{callback.url}?code=abc&state=ours")
    assert page.status_code == 200
    assert "abc" not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert answers.wait(5) == Answer("abc", "ours")


def test_callback_listens_on_this_machine_only(callback: Callback) -> None:
    assert callback.url.startswith("http://127.0.0.1:")
    port = int(callback.url.split(":")[2].split("/")[0])
    with socket.socket() as other, pytest.raises(OSError, match="refused"):
        other.connect(("127.0.0.2", port))


def test_only_the_callback_itself_takes_an_answer(answers: Answers, callback: Callback) -> None:
    """Other pages, a scan of the port, or a foreign name that leads here are not answers."""
    assert httpx.get(callback.url.replace("/callback", "/other?code=1")).status_code == 404
    assert httpx.get(callback.url).status_code == 404
    assert httpx.get(f"{callback.url}?code=1", headers={"Host": "evil.example"}).status_code == 404
    assert httpx.post(f"{callback.url}?code=1").status_code == 501
    assert answers.wait(0.1) is None


def test_port_that_is_taken_is_told(callback: Callback) -> None:
    port = int(callback.url.split(":")[2].split("/")[0])
    with pytest.raises(ConfigurationError, match="port-taken"):
        Callback(port, Answers())


def test_garbage_on_the_port_ends_nothing(
    answers: Answers, callback: Callback, capsys: pytest.CaptureFixture[str]
) -> None:
    port = int(callback.url.split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(b"\x16\x03\x01 nonsense\r\n\r\n")
    assert httpx.get(f"{callback.url}?code=abc&state=ours").status_code == 200
    assert answers.wait(5) == Answer("abc", "ours")
    assert capsys.readouterr() == ("", "")
