"""Calls that subscribe: set, list, delete (9.1)."""

from __future__ import annotations

from dataclasses import asdict
from ipaddress import ip_address
from urllib.parse import urlsplit

from tiktok_simulator.gateway import Call, Endpoint
from tiktok_simulator.params import Params
from tiktok_simulator.webhooks.post import is_local
from tiktok_simulator.webhooks.topics import OTHERS, STOCK, WORDS
from tiktok_simulator.wire import Json
from tiktok_simulator.world import World

PATH, SCOPE = "/event/202309/webhooks", "seller.authorization.info"
LONGEST = 255


def set_webhook(world: World, call: Call) -> Json:
    """Have one topic delivered to an address, whatever its address was (T-124)."""
    params = Params(world, call)
    params.asked()
    body = params.shaped({"address*": str, "event_type*": str})
    word, address = str(body["event_type"]), str(body["address"])
    if word not in _known(world):
        raise params.wrong(f"event_type {word} is unknown")
    fault = None if world.options["webhook_http"] == "on" and is_local(address) else _fault(address)
    if fault:
        raise params.wrong(f"address {fault}")
    world.outlet.subscribe(call.of_shop.id, word, address)
    world.wrote = True
    return {}


def list_webhooks(world: World, call: Call) -> Json:
    """What is delivered for the shop, unpaged."""
    Params(world, call).asked()
    found = world.outlet.of_shop(call.of_shop.id)
    return {"webhooks": [asdict(one) for one in found], "total_count": len(found)}


def delete_webhook(world: World, call: Call) -> Json:
    """Deliver a topic no more; succeeds whatever was subscribed to."""
    params = Params(world, call)
    params.asked()
    world.outlet.unsubscribe(call.of_shop.id, str(params.shaped({"event_type*": str})["event_type"]))
    world.wrote = True
    return {}


def _known(world: World) -> set[str]:
    """The topics of this market (T-132)."""
    absent = set(world.options["webhook_unknown_topics"].replace(" ", "").split(","))
    if world.options["webhook_inventory"] == "off":
        absent.add(WORDS[STOCK])
    return {*WORDS.values(), *OTHERS} - absent


def _fault(address: str) -> str | None:
    """What is wrong with an address (T-125); certificates are not looked at."""
    if len(address) > LONGEST:
        return f"holds more than {LONGEST} characters"
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return "is no URL"
    if parts.scheme != "https":
        return "must be https"
    if port is not None or parts.netloc.endswith(":"):
        return "must not name a port"
    return None if _is_domain(parts.hostname or "") else "must name a domain"


def _is_domain(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return "." in host
    return False


WEBHOOK_ENDPOINTS = [
    Endpoint("PUT", PATH, SCOPE, set_webhook),
    Endpoint("GET", PATH, SCOPE, list_webhooks),
    Endpoint("DELETE", PATH, SCOPE, delete_webhook),
]
