"""The stage a rule plays on: connector, channel and outside, with what rules ask of them again and again."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from types import TracebackType
from typing import Any, ClassVar, Concatenate, ParamSpec, Protocol

import pytest

from hub.contract import (
    HOOK_NAMES,
    Address,
    Connector,
    ContractError,
    Cursor,
    Customer,
    HubError,
    Order,
    OrderKey,
    OrderRef,
    Page,
    PlacedOrder,
    SalesOrder,
    SalesOrderRow,
    ShippingCharge,
    Variant,
    hookimpl,
)
from hub.testing.connection import TIMEOUT_S, Bench, make_connection
from hub.testing.deeds import is_given
from hub.testing.faults import Channel
from hub.testing.outside import Outside

SEEDED_WITHIN = timedelta(days=30)
MOST_PAGES = 1000
BUYER = ("Canarina Buyerwood", "Canarina", "Buyerwood", "17 Canary Wharf Lane", "canarina@buyerwood.example")

P = ParamSpec("P")
_NEEDED = "hooks_needed"


class Stated(Protocol):
    """What a contract class states; see ConnectorContract."""

    connector_class: ClassVar[type[Connector]]
    order_count: ClassVar[int]
    pull_calls: ClassVar[int | None]
    unknown_order: ClassVar[str]
    unknown_variant: ClassVar[str]
    unknown_fulfillment: ClassVar[str]
    variant_count: ClassVar[int]
    fulfillment_count: ClassVar[int]
    negative_stock: ClassVar[bool]
    cancel_reason: ClassVar[str | None]
    has_credentials: ClassVar[bool]
    currency: ClassVar[str]


def demand(holds: object, otherwise: str) -> None:
    """Fail the rule where something does not hold, saying what."""
    if not holds:
        raise AssertionError(otherwise)


def implemented(connector: type) -> frozenset[str]:
    """Return the hooks that a connector class marks with ``@hookimpl``."""
    mark = f"{hookimpl.project_name}_impl"
    return frozenset(name for name in HOOK_NAMES if hasattr(getattr(connector, name, None), mark))


def skip_unless(has: frozenset[str], rule: Callable[..., object]) -> None:
    """Skip a rule that is about hooks which are not there."""
    skip_without(has, getattr(rule, _NEEDED, ()))


def skip_without(has: frozenset[str], hooks: Collection[str]) -> None:
    """Skip a rule where hooks are not there."""
    missing = sorted(set(hooks) - has)
    if missing:
        pytest.skip(f"{' and '.join(missing)} not implemented")


def skip_ungiven(outside: Outside, deeds: Sequence[str]) -> None:
    """Skip a rule that asks for deeds which the author did not give."""
    missing = [deed for deed in deeds if not is_given(outside, deed)]
    if missing:
        pytest.skip(f"{type(outside).__name__} does not give {' and '.join(missing)}")


def needs(
    *hooks: str, deeds: Sequence[str] = ()
) -> Callable[[Callable[Concatenate[Any, Stage, P], None]], Callable[..., None]]:
    """Skip a rule, by the hook's or the deed's name, where it is about what is not implemented or not given."""

    def decorate(rule: Callable[Concatenate[Any, Stage, P], None]) -> Callable[..., None]:
        @functools.wraps(rule)
        def run(self: Any, stage: Stage, *args: P.args, **kwargs: P.kwargs) -> None:
            skip_unless(stage.hooks, run)
            skip_ungiven(stage.outside, deeds)
            rule(self, stage, *args, **kwargs)

        run.__dict__[_NEEDED] = hooks
        return run

    return decorate


@dataclass(slots=True)
class Pulled:
    """What a pull gave until it ended or raised."""

    pages: list[Page[Any]] = field(default_factory=list)
    error: Exception | None = None

    @property
    def items(self) -> list[Any]:
        """Every item, in the order of the pages."""
        return [item for page in self.pages for item in page.items]

    def latest(self) -> dict[str, Any]:
        """Every item by its ref; of repeats the last."""
        return {item.ref: item for item in self.items}

    def cursor(self, before: Cursor | None = None) -> Cursor | None:
        """Return where the hub would resume: the last cursor given, else the one before."""
        return next((page.cursor for page in reversed(self.pages) if page.cursor is not None), before)


class _OutsideClock:
    """The outside's time as the hub's clock; its waits let time pass there."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def now(self) -> datetime:
        return self._outside.now()

    def wait(self, seconds: float, until: object = None) -> None:
        self._outside.pass_time(seconds)

    def close(self) -> None:
        """Hold nothing."""


class Stage:
    """Connector, channel and outside of one rule. ``errors`` keeps every error that a rule provoked."""

    def __init__(self, stated: Stated, outside: Outside) -> None:
        self.stated, self.outside = stated, outside
        self.connector_class = stated.connector_class
        self.hooks = implemented(stated.connector_class)
        self.channel = Channel(outside.upstream())
        self.errors: list[Exception] = []
        self._benches: list[Bench] = []
        self._tokens: dict[str, bytes] = {}
        self._numbers = iter(range(1, 10**6))

    def __enter__(self) -> Stage:
        self.channel.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for bench in self._benches:
            bench.http.close()
        self.channel.__exit__(kind, error, at)

    def bench(self, timeout_s: float = TIMEOUT_S, settings: dict[str, Any] | None = None) -> Bench:
        """Return a new connector object whose settings, the usual ones or others, lead through the channel."""
        made = make_connection(
            self.connector_class,
            self.outside.settings(self.channel.url) if settings is None else settings,
            clock=_OutsideClock(self.outside),
            timeout_s=timeout_s,
            tokens=self._tokens if settings is None else {},
        )
        self._benches.append(made)
        return made

    def seed(self) -> list[str]:
        """Add the stated number of orders."""
        refs = list(self.outside.seed_orders(self.stated.order_count))
        demand(len(set(refs)) == self.stated.order_count > 1, "seed_orders must add that many orders, more than one")
        return refs

    def calls_of(self, deed: Callable[[], object]) -> int:
        """Do something and return how many calls it took."""
        before = len(self.channel.calls)
        deed()
        return len(self.channel.calls) - before

    def attempt(self, deed: Callable[[], Any]) -> Any:
        """Do something; return its result, or the error it raised."""
        try:
            return deed()
        except Exception as error:  # noqa: BLE001, RUF100  # a rule judges whatever a connector raises
            self.errors.append(error)
            return error

    def pull(self, bench: Bench, since: Cursor | None = None, hook: str = "pull_orders") -> Pulled:
        """Pull to the end, or to the first error."""
        pulled = Pulled()

        def read() -> None:
            for page in self.iterate(bench, since, hook):
                pulled.pages.append(page)
                demand(len(pulled.pages) < MOST_PAGES, f"{hook} goes on and on: {MOST_PAGES} pages")

        error = self.attempt(read)
        if isinstance(error, AssertionError):
            raise error
        pulled.error = error
        return pulled

    def whole(self, bench: Bench, since: Cursor | None = None, hook: str = "pull_orders") -> Pulled:
        """Pull to the end; an error fails the rule."""
        pulled = self.pull(bench, since, hook)
        if pulled.error is not None:
            raise pulled.error
        return pulled

    def iterate(self, bench: Bench, since: Cursor | None, hook: str = "pull_orders") -> Iterator[Page[Any]]:
        """Begin a pull."""
        start = None if hook == "pull_products" else self.outside.now() - SEEDED_WITHIN
        return iter(getattr(bench.hooks, hook)(since=since, start=start))

    def fetch(self, bench: Bench, orders: Sequence[Order | OrderRef]) -> list[Order]:
        """Read known orders again."""
        refs = [OrderRef(ref=one.ref, created_at=one.created_at, updated_at=one.updated_at) for one in orders]
        fetched: list[Order] = bench.hooks.fetch_orders(orders=refs)
        return fetched

    def find(self, bench: Bench, orders: Sequence[SalesOrder], before: datetime | None = None) -> list[PlacedOrder]:
        """Look sales orders up."""
        found: list[PlacedOrder] = bench.hooks.find_orders(orders=[order.key for order in orders], before=before)
        return found

    def variants(self, bench: Bench, count: int = 2) -> list[Variant]:
        """Add variants and return them as the connector finds them."""
        skus = list(self.outside.seed_variants(count))
        found = {variant.sku: variant for variant in bench.hooks.find_variants(skus=skus)}
        demand(set(skus) <= set(found), f"find_variants does not find {sorted(set(skus) - set(found))}")
        return [found[sku] for sku in skus]

    def number(self) -> int:
        """Return a number that no rule has used on this stage."""
        return next(self._numbers)

    def order(self, variants: Sequence[Variant]) -> SalesOrder:
        """Return a sales order that nobody has pushed, for a buyer nobody has seen."""
        number, now = self.number(), self.outside.now()
        rows = [
            SalesOrderRow(variant_ref=each.ref, sku=each.sku or "", quantity=Decimal(at + 1), price=Decimal("12.50"))
            for at, each in enumerate(variants)
        ]
        name, first, last, street, email = BUYER
        customer = Customer(reference=f"kit:{number}", name=name, first_name=first, last_name=last, email=email)
        ref = f"5769{number:08d}"
        return SalesOrder(
            key=OrderKey(key=f"KIT-{ref}", channel="kit", shop="kit-shop", ref=ref, ordered_at=now),
            customer=customer,
            currency=self.stated.currency,
            ordered_at=now,
            location_ref=None,
            rows=tuple(rows),
            shipping=ShippingCharge(amount=Decimal("4.90")),
            address=Address(first_name=first, last_name=last, line_1=street, country="US"),
        )


def hub_error(result: object) -> HubError | None:
    """Return a result where it is one of the contract's errors that a connector may raise."""
    return result if isinstance(result, HubError) and not isinstance(result, ContractError) else None


def shown(result: object) -> str:
    """Say in a few words what a hook gave or raised."""
    return f"{type(result).__name__}: {result}"[:300] if isinstance(result, Exception) else repr(result)[:300]
