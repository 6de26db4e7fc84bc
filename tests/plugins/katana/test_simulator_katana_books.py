"""The simulated stock adds up after whatever happened, in whatever order."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from tests.plugins.katana.katana_account import Account, opened

Deeds = list[Callable[[], dict[str, Any]]]


def deeds(dice: random.Random, order_no: str) -> Deeds:
    """Things that may happen to an order; what its state forbids is refused."""
    some = {dice.choice(("MUG", "TEA", "GIFT")): dice.randint(1, 3)}
    status = dice.choice(("PACKED", "DELIVERED"))
    return [
        lambda: {"deed": "ship", "order_no": order_no, "quantities": some, "status": status},
        lambda: {"deed": "ship", "order_no": order_no},
        lambda: {"deed": "unship", "order_no": order_no},
        lambda: {"deed": "shipment", "order_no": order_no, "status": "DELIVERED"},
        lambda: {"deed": "rows", "order_no": order_no, "quantities": some},
        lambda: {"deed": "rows", "order_no": order_no, "add": [{"sku": "TEA", "quantity": 2}]},
        lambda: {"deed": "rows", "order_no": order_no, "remove": ["MUG"]},
        lambda: {"deed": "order", "order_no": order_no, "location": dice.choice(("Main", "West"))},
        lambda: {"deed": "order", "order_no": order_no, "status": dice.choice(("PENDING", "NOT_SHIPPED"))},
        lambda: {"deed": "return", "order_no": order_no, "quantities": some, "location": "West"},
        lambda: {"deed": "delete", "order_no": order_no},
        lambda: {"deed": "stock", "sku": "MUG", "change": dice.randint(-3, 3)},
    ]


def committed(state: dict[str, Any]) -> dict[tuple[int, int], float]:
    """What open orders need, counted from their rows alone (fact sheet 5.5 and 8)."""
    orders = {order["id"]: order for order in state["sales_orders"]}
    found: dict[tuple[int, int], float] = defaultdict(float)
    for row in state["sales_order_rows"]:
        if not row["deleted_at"] and orders[row["sales_order_id"]]["status"] != "PENDING":
            found[row["variant_id"], row["location_id"]] += row["quantity"] - row["fulfilled"]
    return found


@pytest.mark.parametrize("seed", range(6))
def test_commitments_and_movements_add_up_after_any_history(seed: int) -> None:
    dice, done = random.Random(seed), 0
    with opened() as account:
        for number in range(8):
            account.order(("MUG", dice.randint(1, 4)), ("GIFT", 2), ("TEA", 1), order_no=f"N{number}")
        for _ in range(120):
            body = dice.choice(deeds(dice, f"N{dice.randrange(8)}"))()
            done += account.post(f"/_sim/do/{body.pop('deed')}", json=body).status_code == 200
        assert done > 30
        check(account)


def check(account: Account) -> None:
    state = account.get("/_sim/state").json()
    wanted, moved = committed(state), defaultdict(float)
    for row in state["inventory_movements"]:
        moved[row["variant_id"], row["location_id"]] += row["quantity_change"]
    for level in state["inventory"]:
        place = (level["variant_id"], level["location_id"])
        assert level["committed"] == wanted.pop(place, 0), level
        assert level["in_stock"] == moved[place], level
    assert not any(wanted.values())
