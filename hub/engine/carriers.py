"""What the ERP calls a carrier -> who of those that the channel allows for this order."""

from __future__ import annotations

from hub.contract import Carrier, Order
from hub.engine.outcome import call
from hub.engine.world import Connected, World
from hub.routing.fate import Problem
from hub.routing.model import Route
from hub.store.shipping import Parcel


def choose_carrier(world: World, channel: Connected, route: Route, order: Order, parcel: Parcel) -> str | Problem:
    """Return the channel's id of the carrier that brings a parcel, or why there is none, with those to choose from."""
    if order.delivery_ref is None:
        what = f"order {order.ref} names no delivery option, so its carriers cannot be listed"
        return Problem("carrier-unmapped", what, "Ship it on the channel by hand.")
    allowed: list[Carrier] = call(world, channel, "list_carriers", delivery_ref=order.delivery_ref)
    rules = route.fulfillments
    said = (parcel.carrier or "").strip()
    mapped = next((to for name, to in rules.carriers.items() if name.casefold() == said.casefold()), None)
    for wanted in (mapped, said or None, rules.other_carrier):
        found = [
            each for each in allowed if wanted and wanted.casefold() in (each.name.casefold(), each.ref.casefold())
        ]
        if found:
            return found[0].ref
        if wanted and wanted == mapped:
            break  # a mapping that does not fit is a mistake to be told, not to be guessed around
    names = ", ".join(sorted(each.name for each in allowed)) or "none"
    shown = repr(said) if said else "(none entered)"
    what = f"shipment {parcel.key}: the ERP's carrier {shown}"
    what += f", mapped to {mapped!r}," if mapped else ""
    return Problem(
        "carrier-unmapped",
        f"{what} is none that the channel allows for this order; it allows: {names}",
        f"Map it in the route file: routes/{route.name}/fulfillments/carriers, or correct it in the ERP.",
    )


def _is(wanted: str, carrier: Carrier) -> bool:
    return wanted.casefold() in (carrier.name.casefold(), carrier.ref.casefold())
