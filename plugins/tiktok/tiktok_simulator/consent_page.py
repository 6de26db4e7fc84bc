"""The consent page a person sees in a browser: plain HTML, works without script (2.1)."""

from __future__ import annotations

import html
from collections.abc import Iterable

DURATIONS = {"": "As the shop's default", "30": "30 days", "365": "One year", "36500": "Unlimited"}
OWNER_ONLY = "Only the shop owner (main account) can authorize an app. Sign in with the main account and try again."

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Authorize {app}</title></head>
<body>
<h1>Authorize {app}</h1>
<p>Simulated TikTok Shop Seller Center. Signed in as <strong>{who}</strong> ({account}).</p>
<p>{app} (service {service}) asks for access to:</p>
<ul>{shops}</ul>
<p>It will be able to use:</p>
<ul>{scopes}</ul>
<form method="post" action="{action}">{choice}
<button name="decision" value="refuse">Refuse</button>
</form>
</body></html>"""

CHOICE = """
<p><label>Duration of access <select name="duration">{durations}</select></label></p>
<button name="decision" value="authorise">Authorize</button>"""


def consent_page(
    *, app: str, service: str, owner: str, shops: Iterable[str], scopes: Iterable[str], account: str, action: str
) -> str:
    """The page for an account: `main` may authorize, `sub` sees no such button, `sub_denied` sees it in vain."""
    durations = "".join(f'<option value="{days}">{text}</option>' for days, text in DURATIONS.items())
    is_main = account == "main"
    return PAGE.format(
        app=html.escape(app),
        service=html.escape(service),
        who=html.escape(owner if is_main else f"Staff of {owner}"),
        account="main account" if is_main else "sub-account",
        shops=_items(shops),
        scopes=_items(scopes),
        action=html.escape(action),
        choice=f"<p>{OWNER_ONLY}</p>" if account == "sub" else CHOICE.format(durations=durations),
    )


def _items(texts: Iterable[str]) -> str:
    return "".join(f"<li>{html.escape(text)}</li>" for text in texts)
