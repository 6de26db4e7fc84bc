"""The control calls under `/_sim/`, as docs/simulators.md lists them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from katana_simulator import login, people_login, people_orders, people_returns, people_stock
from katana_simulator.demo_deeds import deed
from katana_simulator.exchange import ApiError, parse_json, to_json
from katana_simulator.gateway import BASE, Gateway, Reply
from katana_simulator.people import Deed, refuse_unknown
from katana_simulator.seed import demo, seed
from katana_simulator.state import dump

Control = Callable[[Gateway, dict[str, Any]], Any]


def login_settings(gateway: Gateway) -> dict[str, str]:
    options = gateway.world.options
    return {
        "client_id": options["oauth_client_id"],
        "client_secret": options["oauth_client_secret"],
        "authorize_url": f"{gateway.url}{login.AUTHORIZE}",
        "token_url": f"{gateway.url}{login.TOKEN}",
        "scope": login.SCOPE,
        "audience": login.AUDIENCE,
    }


def read_clock(gateway: Gateway, body: dict[str, Any]) -> Any:
    clock = gateway.world.clock
    return {"now": clock.now(), "rate": clock.rate}


def set_clock(gateway: Gateway, body: dict[str, Any]) -> Any:
    clock = gateway.world.clock
    refuse_unknown(body, {"now", "advance_s", "rate"})
    if "rate" in body:
        clock.set_rate(float(body["rate"]))
    if "now" in body:
        clock.set(float(body["now"]))
    if "advance_s" in body:
        clock.advance(float(body["advance_s"]))
    gateway.sender.wake()
    return read_clock(gateway, body)


def set_options(gateway: Gateway, body: dict[str, Any]) -> Any:
    gateway.world.options.update(body)
    gateway.world.options_changed()
    gateway.journal.resize(int(float(gateway.world.options["journal_size"])))
    return gateway.world.options.all()


def set_faults(gateway: Gateway, body: dict[str, Any]) -> Any:
    refuse_unknown(body, {"faults", "seed"})
    gateway.faults.replace(body.get("faults", []), int(body.get("seed", 0)))
    return {"faults": len(body.get("faults", []))}


def read_journal(gateway: Gateway, body: dict[str, Any]) -> Any:
    limit = body.get("limit")
    return gateway.journal.since(int(body.get("since", 0)), None if limit is None else int(limit))


def forget_journal(gateway: Gateway, body: dict[str, Any]) -> Any:
    gateway.journal.forget()
    return {}


CONTROLS: dict[str, Control] = {
    "GET /_sim/clock": read_clock,
    "POST /_sim/clock": set_clock,
    "GET /_sim/options": lambda gateway, _: gateway.world.options.all(),
    "POST /_sim/options": set_options,
    "POST /_sim/faults": set_faults,
    "GET /_sim/journal": read_journal,
    "DELETE /_sim/journal": forget_journal,
    "GET /_sim/counters": lambda gateway, _: gateway.journal.count(),
    "GET /_sim/webhooks": lambda gateway, _: gateway.sender.report(),
    "GET /_sim/state": lambda gateway, _: dump(gateway.world),
    "POST /_sim/seed": lambda gateway, body: seed(gateway.world, body),
    "POST /_sim/demo": lambda gateway, body: demo(gateway.world, body),
    "POST /_sim/deed": deed,
    "GET /_sim/settings": lambda gateway, _: {"api_url": f"{gateway.url}{BASE}"} | login_settings(gateway),
    "GET /_sim/order": lambda gateway, body: people_orders.show_order(gateway.world, body),
}
DEEDS: dict[str, Deed] = people_stock.DEEDS | people_orders.DEEDS | people_returns.DEEDS | people_login.DEEDS


def control(gateway: Gateway, method: str, path: str, query: str, raw: bytes) -> Reply:
    """Answer a control call; what is wrong with it is answered 400 in words."""
    found = _find(method, path)
    if found is None:
        return Reply(404, {}, to_json({"error": f"no control call {method} {path}"}))
    try:
        body = parse_json(raw) if raw else {name: values[-1] for name, values in parse_qs(query).items()}
        if not isinstance(body, dict):
            raise ValueError("a control call takes a JSON object")
        with gateway.world.lock:
            done = found(gateway, body)
            gateway.tell()
            return Reply(200, {}, to_json(done))
    except ApiError as error:
        return Reply(400, {}, to_json({"error": error.message, "status": error.status}))
    except (ValueError, KeyError, TypeError, ArithmeticError) as error:
        return Reply(400, {}, to_json({"error": f"{type(error).__name__}: {error}"}))


def _find(method: str, path: str) -> Control | None:
    found = CONTROLS.get(f"{method} {path}")
    wanted = DEEDS.get(path.removeprefix("/_sim/do/")) if method == "POST" else None
    return found if wanted is None else _do(wanted)


def _do(wanted: Deed) -> Control:
    def run(gateway: Gateway, body: dict[str, Any]) -> Any:
        refuse_unknown(body, wanted.takes)
        return wanted.run(gateway.world, body)

    return run
