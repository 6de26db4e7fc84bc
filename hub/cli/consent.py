"""Gets a person's consent: says what to know, opens the page, and waits for where it leads."""

from __future__ import annotations

import os
import select
import sys
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import click

from hub.cli.database import say
from hub.contract import AuthorizationError
from hub.engine.world import Connected
from hub.host.callback import Answers, Callback, accepted_code, callback_url, read_answer

PORT = 8722
LOOK_S = 0.2
GRAPHICS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
ADDRESS_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Way:
    """How the answer shall come; ``timeout`` in seconds."""

    port: int
    redirect_url: str | None
    no_browser: bool
    timeout: float
    accept_app_store: bool

    @property
    def is_pasted(self) -> bool:
        """Whether nothing can come to this machine by itself."""
        return self.no_browser or self.redirect_url is not None


@contextmanager
def listening(way: Way) -> Iterator[tuple[Answers, str]]:
    """Yield where the answer arrives, and the address that the page of consent must lead to."""
    answers = Answers()
    if way.is_pasted:
        yield answers, way.redirect_url or callback_url(way.port or PORT)
        return
    with Callback(way.port, answers) as callback:
        yield answers, callback.url


def ask_for_consent(connected: Connected, page: str, state: str, redirect: str, answers: Answers, way: Way) -> str:
    """Return the code of a person's consent.

    Raises: AuthorizationError where it is refused, does not belong to this question, or does not come.
    """
    where = f"{connected.id}, {redirect}"
    cause = f"{_note(connected)}Then again: hub connect {connected.id}"
    if connected.consent_note:
        say(f"Before you consent: {connected.consent_note}")
    say(f"The answer goes to {redirect}; where the app's redirect address is fixed, it must be exactly this one.")
    say("Open this page and consent:")
    say(f"  {page}")
    stop = threading.Event()
    try:
        _open(page, answers, stop, way)
        answer = answers.wait(way.timeout)
    finally:
        stop.set()
    if answer is None:
        what = f"no answer came within {way.timeout:g} seconds, or what was pasted was none"
        do = f"{cause}. Does the app's redirect address lead elsewhere? --redirect-url URL, or --no-browser to paste."
        raise AuthorizationError("consent-missing", what, where=where, do=do)

    def stateless() -> bool:
        question = "The answer carries no state, as after an install from an app store. Did you install it just now?"
        return way.accept_app_store and click.confirm(question, err=True)

    return accepted_code(answer, state, where=where, cause=cause, stateless=stateless)


def _note(connected: Connected) -> str:
    return f"The likely cause: {connected.consent_note} " if connected.consent_note else ""


def _open(page: str, answers: Answers, stop: threading.Event, way: Way) -> None:
    """Open the page, and let its address be pasted where it may have to be."""
    is_open = not way.is_pasted and _has_graphics() and webbrowser.open(page)
    if way.is_pasted or (sys.stdin.isatty() and not way.accept_app_store):
        threading.Thread(target=_read_pasted, args=(answers, stop, way.is_pasted), daemon=True).start()
        say("Paste here the address that the page leads to" + ("." if way.is_pasted else ", if it does not come here."))
    if is_open:
        say("It is open in your browser.")


def _has_graphics() -> bool:
    # Without a screen, webbrowser would start a browser in this very terminal.
    return sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in GRAPHICS)


def _read_pasted(answers: Answers, stop: threading.Event, is_only_way: bool) -> None:
    """Read lines until one is an address with an answer; a read that blocked could not be ended."""
    text = b""
    while not stop.is_set():
        if not select.select([sys.stdin.fileno()], [], [], LOOK_S)[0]:
            continue
        read = os.read(sys.stdin.fileno(), 4096)
        text += read
        *lines, text = text.split(b"\n") if read else [text, b""]
        for line in lines:
            answer = read_answer(line.decode("utf-8", "replace"))
            if answer is not None:
                answers.give(answer)
                return
            if line.strip():
                say("That is not an address with a code or an error; paste the whole of it.")
        if not read or len(text) > ADDRESS_BYTES:
            if is_only_way:
                answers.give(None)
            return
