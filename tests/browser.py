"""A person's browser: opens a page of consent, presses a button, and goes where it leads."""

from __future__ import annotations

import html
import re

import httpx


def decide(page: str, decision: str) -> str:
    """Open a page of consent and press a button; returns the address that it leads to, not yet opened."""
    with httpx.Client(timeout=10) as http:
        shown = http.get(page)
        assert shown.status_code == 200, shown.text
        action = html.unescape(re.findall(r'<form method="post" action="([^"]+)"', shown.text)[0])
        assert f'value="{decision}"' in shown.text
        led = http.post(httpx.URL(page).join(action), data={"decision": decision})
        assert led.status_code == 302, led.text
        return str(led.headers["location"])


def follow(address: str) -> httpx.Response:
    """Go where a page led."""
    return httpx.get(address, timeout=10)
