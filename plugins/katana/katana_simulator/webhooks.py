"""The calls of `/webhooks`: who is told of what, and where.  # K-92"""

from __future__ import annotations

import secrets

from katana_simulator import bodies
from katana_simulator.exchange import Answer, Request, Row, not_found, refused
from katana_simulator.lists import COMMON, answer_list, fields
from katana_simulator.news import is_loopback, listen
from katana_simulator.schema import Shape, require
from katana_simulator.world import Handler, World

_PARAMS = {"ids": COMMON["ids"]} | fields("text", "url") | fields("flag", "enabled")


def list_webhooks(world: World, request: Request) -> Answer:
    return answer_list(world, request, world.webhooks, _PARAMS, _view)


def read_webhook(world: World, request: Request) -> Answer:
    return Answer(200, _view(world, _find(world, request)))


def create_webhook(world: World, request: Request) -> Answer:
    """The token is made here; that a URL may have several subscriptions is assumed."""
    body = _checked(world, bodies.NEW_WEBHOOK, request)
    stamp = world.stamp()
    row = world.webhooks.add(
        {
            "url": body["url"],
            "token": secrets.token_hex(8),
            "enabled": body.get("enabled", True),
            "description": body.get("description"),
            "subscribed_events": list(dict.fromkeys(body["subscribed_events"])),
            "created_at": stamp,
            "updated_at": stamp,
        }
    )
    listen(world)
    return Answer(200, dict(row), wrote=True)


def change_webhook(world: World, request: Request) -> Answer:
    body = _checked(world, bodies.WEBHOOK_CHANGE, request)
    row = _find(world, request)
    world.webhooks.change(row, {**body, "updated_at": world.stamp()})
    listen(world)
    return Answer(200, _view(world, row), wrote=True)


def delete_webhook(world: World, request: Request) -> Answer:
    del world.webhooks.rows[_find(world, request)["id"]]
    listen(world)
    return Answer(int(world.options["delete_status"]), wrote=True)


def _checked(world: World, shapes: dict[str, Shape], request: Request) -> Row:
    """Only https, but where a switch lets tests subscribe a server of this machine."""
    takes_http = world.options["webhook_http"] == "on"
    body = require(shapes["http" if takes_http else "https"], request.body)
    url = str(body.get("url", "https:"))
    if not url.startswith("https:") and not is_loopback(url):
        raise refused("Webhook url must be https")
    return body


def _find(world: World, request: Request) -> Row:
    row = world.webhooks.live(request.id)
    if row is None:
        raise not_found()
    return row


def _view(world: World, row: Row) -> Row:
    is_shown = world.options["webhook_key_shown"] == "yes"  # K-93
    return {name: value for name, value in row.items() if is_shown or name != "token"}


ROUTES: dict[str, Handler] = {
    "GET /webhooks": list_webhooks,
    "POST /webhooks": create_webhook,
    "GET /webhooks/{id}": read_webhook,
    "PATCH /webhooks/{id}": change_webhook,
    "DELETE /webhooks/{id}": delete_webhook,
}
