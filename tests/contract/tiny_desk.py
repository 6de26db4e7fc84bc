"""Orders of a tiny channel that are cancelled or come back, and a connector that tells and decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import ClassVar

from hub.contract import Cancellation, Cursor, Page, RejectedError, Return, hookimpl
from hub.testing import Reply
from tests.contract.tiny import TinyWindow
from tests.contract.tiny_system import Json, TinySystem, page_of, reply, text


class TinyCounter(TinySystem):
    """What buyers ask for, and what became of it."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Json] = []
        self.coming: list[Json] = []

    def seed_open_order(self) -> str:
        return self.seed_orders(1)[0]

    def ship(self, order_ref: str, quantities: Mapping[str, int], tracking_number: str) -> str:
        self.orders[order_ref]["state"] = "partly-shipped"
        return tracking_number

    def request_cancel(self, order_ref: str) -> None:
        made = {"id": f"c{len(self.requests) + 1}", "order": order_ref, "state": "requested"}
        self.requests.append(made | {"changed": text(self.now())})

    def seed_return(self) -> tuple[str, str]:
        ref = self.seed_open_order()
        made = {"id": f"r{len(self.coming) + 1}", "order": ref, "status": "ASKED", "lines": [f"{ref}-1"]}
        self.coming.append(made | {"changed": text(self.now())})
        return self.coming[-1]["id"], ref

    def send_back(self, return_ref: str) -> None:
        found = next(each for each in self.coming if each["id"] == return_ref)
        found.update(status="SENT", changed=text(self.now()))

    def _get_requests(self, query: Json) -> Reply:
        return reply(page_of(self.requests, query))

    def _get_returns(self, query: Json) -> Reply:
        return reply(page_of(self.coming, query))

    def _post_decisions(self, body: Json) -> Reply:
        found = next(each for each in self.requests if each["id"] == body["id"])
        wanted = "done" if body["accept"] else "withdrawn"
        if found["state"] not in ("requested", wanted):
            return reply({"message": "decided otherwise"}, 422)
        found.update(state=wanted, changed=text(self.now()))
        if body["accept"]:
            self.orders[found["order"]]["state"] = "cancelled"
        return reply({})

    def _post_cancellations(self, body: Json) -> Reply:
        self.orders[body["order"]]["state"] = "cancelled"
        return reply({})


class TinyDesk(TinyWindow):
    """Tells of cancellations and returns, decides and cancels."""

    name: ClassVar[str] = "tiny-desk"
    capabilities: ClassVar[frozenset[str]] = TinyWindow.capabilities | {
        *("cancel_order", "pull_cancellations", "decide_cancellation", "pull_returns"),
    }
    system: ClassVar[type[TinySystem]] = TinyCounter

    @hookimpl
    def pull_cancellations(self, since: Cursor | None, start: datetime) -> Iterator[Page[Cancellation]]:
        for rows, cursor in self.feed("requests", since, start):
            yield Page(tuple(self.cancellation(row) for row in rows), cursor)

    def cancellation(self, row: Json) -> Cancellation:
        said = {"ref": row["id"], "order_ref": row["order"], "state": row["state"], "updated_at": row["changed"]}
        return Cancellation.model_validate(said)

    @hookimpl
    def decide_cancellation(self, cancellation: Cancellation, accept: bool, reason: str | None) -> bool:
        self.send("POST", "decisions", body={"id": cancellation.ref, "accept": accept}, reads=False)
        return True

    @hookimpl
    def cancel_order(self, order_ref: str, reason: str | None) -> bool:
        (order,) = self.send("GET", "orders", ids=order_ref)["orders"]
        if order.get("state") == "partly-shipped":
            raise RejectedError("order-packed", "parts have left", where=self.connection.id, do="Call them back.")
        if order.get("state") != "cancelled":
            self.send("POST", "cancellations", body={"order": order_ref}, reads=False)
        return True

    @hookimpl
    def pull_returns(self, since: Cursor | None, start: datetime) -> Iterator[Page[Return]]:
        for rows, cursor in self.feed("returns", since, start):
            yield Page(tuple(self.goods_return(row) for row in rows), cursor)

    def goods_return(self, row: Json) -> Return:
        lines = [{"line_ref": ref} for ref in row["lines"]]
        said = {"ref": row["id"], "order_ref": row["order"], "status": row["status"], "lines": lines}
        return Return.model_validate(said | {"updated_at": row["changed"]})
