"""The control calls under /_sim/: clock, switches, faults, journal, state, seeding.

Besides those every simulator has: `POST /_sim/orders/{id}` carries out a deed of actions.py and `GET` shows the order;
`POST /_sim/authorisation {"action": "consent" | "refuse" | "deauthorise" | "expire_access" | "expire_refresh"}` plays
the seller; `POST /_sim/buy` and `POST /_sim/sku` are in catalogue/till.py, `/_sim/returns` in aftersale/buyer.py;
`GET /_sim/settings` answers the connector settings, `GET /_sim/webhooks` what was delivered. `POST /_sim/seed` takes
`reset`, `shops`, `warehouses`, `products`, `orders`; shops and a shop's warehouses are replaced, products and orders
added.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tiktok_simulator.aftersale.buyer import ask_return, go_on
from tiktok_simulator.auth_pages import AuthPages
from tiktok_simulator.catalogue.till import buy, set_sku
from tiktok_simulator.demo import seed_demo
from tiktok_simulator.demo_deeds import deed
from tiktok_simulator.options import OptionError
from tiktok_simulator.wire import ControlError, Json, Reply, Request, json_reply
from tiktok_simulator.world import World

PREFIX = "/_sim/"
ORDER, RETURN = "orders/", "returns/"


class Control:
    """Answers the control calls; they are unsigned, uncounted and never limited."""

    def __init__(self, world: World, pages: AuthPages, settings: Callable[[], dict[str, str]]) -> None:
        self._world = world
        self._pages = pages
        self._settings = settings
        self._calls: dict[tuple[str, str], Callable[[Json], Any]] = {
            ("GET", "clock"): lambda _: self._clock(),
            ("POST", "clock"): self._turn,
            ("GET", "options"): lambda _: world.options.as_dict(),
            ("POST", "options"): self._options,
            ("GET", "faults"): lambda _: {"faults": world.faults.as_list()},
            ("POST", "faults"): self._faults,
            ("GET", "journal"): self._journal,
            ("DELETE", "journal"): self._forget,
            ("GET", "counters"): lambda _: world.journal.counters(),
            ("GET", "state"): lambda _: world.state(),
            ("GET", "webhooks"): lambda _: world.outlet.mailer.report(),
            ("GET", "settings"): lambda _: settings(),
            ("POST", "seed"): world.seed,
            ("POST", "demo"): lambda wish: seed_demo(world, wish),
            ("POST", "deed"): lambda wish: deed(world, wish),
            ("POST", "authorisation"): self._authorisation,
            ("POST", "returns"): lambda wish: ask_return(world, wish),
            ("POST", "buy"): lambda wish: buy(world, wish),
            ("POST", "sku"): lambda wish: set_sku(world, wish),
        }

    def answer(self, request: Request) -> Reply:
        """Answer one control call."""
        name = request.path.removeprefix(PREFIX)
        wish = request.parsed() if request.body else dict(request.query)
        try:
            if not isinstance(wish, dict):
                raise ControlError("the body is not a JSON object")
            with self._world.lock:
                self._world.settle()
                return json_reply(self._do(request.method, name, wish))
        except ControlError as error:
            return json_reply({"error": str(error)}, error.status)
        except (OptionError, KeyError, TypeError, ValueError, ArithmeticError) as error:
            return json_reply({"error": f"{type(error).__name__}: {error}"}, 400)

    def _do(self, method: str, name: str, wish: Json) -> Any:
        call = self._calls.get((method, name))
        if call is not None:
            return call(wish)
        if name.startswith(RETURN):
            return go_on(self._world, name.removeprefix(RETURN), wish)
        if not name.startswith(ORDER):
            raise ControlError(f"no control call {method} /_sim/{name}", 404)
        order = self._world.orders.get(name.removeprefix(ORDER))
        outcome: Json = {}
        if method == "POST":
            outcome = self._world.actions.carry_out(order, wish, int(self._world.clock.now()))
        return outcome | {"order": self._world.order_summary(order)}

    def _clock(self) -> Json:
        return {"now": self._world.clock.now(), "rate": self._world.clock.rate}

    def _turn(self, wish: Json) -> Json:
        unknown = set(wish) - {"now", "advance_s", "rate"}
        if unknown:
            raise ControlError(f"the clock has no {sorted(unknown)}")
        now, rate = wish.get("now"), wish.get("rate")
        self._world.clock.turn(
            now=None if now is None else float(now),
            advance_s=float(wish.get("advance_s", 0)),
            rate=None if rate is None else float(rate),
        )
        self._world.settle()
        self._world.outlet.mailer.wake()
        return self._clock()

    def _options(self, wish: Json) -> Json:
        self._world.options.update(wish)
        return dict(self._world.options.as_dict())

    def _faults(self, wish: Json) -> Json:
        self._world.faults.replace(wish.get("faults") or [], wish.get("seed"))
        return {"faults": self._world.faults.as_list()}

    def _journal(self, wish: Json) -> Json:
        limit = wish.get("limit")
        return self._world.journal.since(int(wish.get("since", 0)), None if limit is None else int(limit))

    def _forget(self, _: Json) -> Json:
        self._world.journal.forget()
        return {}

    def _authorisation(self, wish: Json) -> Json:
        """What a seller does outside the API: consent, refuse, withdraw; or let tokens run out."""
        action = wish.get("action")
        if action in ("consent", "refuse"):
            return dict(self._pages.decide(action == "consent", wish.get("state")))
        if action == "deauthorise":
            self._world.deauthorise()
        elif action in ("expire_access", "expire_refresh"):
            self._world.tokens.expire(access=action == "expire_access", refresh=action == "expire_refresh")
        else:
            raise ControlError("action must be consent, refuse, deauthorise, expire_access or expire_refresh")
        return {}
