"""Deeds around connecting: consent without a browser, disconnecting, tokens that run out."""

from __future__ import annotations

from katana_simulator.people import Body, Deed, deed
from katana_simulator.world import World


def consent(world: World, body: Body) -> dict[str, str]:
    """Accept what the consent page would ask; answers the code that the redirect would carry."""
    state = {"state": str(body["state"])} if "state" in body else {}
    return {"code": world.tokens.consent(str(body["redirect_uri"]))} | state


def disconnect(world: World, body: Body) -> dict[str, str]:
    world.tokens.revoke()
    return {}


def expire(world: World, body: Body) -> dict[str, str]:
    """Let the access tokens run out now, or the refresh tokens, or both."""
    world.tokens.expire(access=bool(body.get("access")), refresh=bool(body.get("refresh")))
    return {}


DEEDS: dict[str, Deed] = {
    "consent": deed(consent, "redirect_uri", "state"),
    "disconnect": deed(disconnect),
    "expire": deed(expire, "access", "refresh"),
}
