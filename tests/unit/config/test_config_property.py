"""Whatever a file holds, load answers with a Config or with one RouteFileError."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.config.config_files import ABLE, ENVIRON, PLAIN, faults_of, with_orders

FULL = with_orders("hold: 60m\nskus: {A: [{sku: B, price_share: 1}]}\ntax: {mode: fixed, rate: 20}\nshipping: {row: S}")
FULL += """\
    fulfillments: {carriers: {UPS: UPS}, late: 4h, labels: here}
    inventory: {buffer: {units: 1, by_sku: {A: {percent: 5}}}, locations: {P: [{location: W, share: 50}]}, pool: x}
    products: {publish: draft, skus: [A], attributes: {A: {B: C}}, weight: 5g, size_cm: [1, 2, 3]}
    returns: {enabled: true, default: W}
  - {name: two, channel: shop-us, erp: katana, inventory: {enabled: false}}
"""
WORDS = ["version: 1", "connections:", "routes:", "- ", "  ", "\n", "{", "}", "[", "]", "&a ", "*a", "${", "${APP_KEY}"]
WORDS += [
    ": ",
    "connector: shop",
    "settings: ",
    "name: ",
    "0",
    "1.5",
    "null",
    '"',
    "'",
    "|",
    "\t",
    "!",
    "\\U",
    "%TAG",
    "<<",
]
quiet = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quiet
@given(text=st.one_of(st.binary(max_size=200), st.text(max_size=200), st.lists(st.sampled_from(WORDS)).map("".join)))
def test_arbitrary_text_never_raises_anything_else(tmp_path: Path, text: str | bytes) -> None:
    faults_of(tmp_path, text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)


@quiet
@given(
    at=st.integers(0, len(FULL)),
    cut=st.integers(0, 12),
    put=st.one_of(st.sampled_from([*WORDS, ""]), st.text(max_size=8)),
)
def test_mangled_good_file_never_raises_anything_else_nor_shows_a_secret(
    tmp_path: Path, at: int, cut: int, put: str
) -> None:
    text = FULL[:at] + put + FULL[at + cut :]
    for fault in faults_of(tmp_path, text.encode("utf-8", "surrogatepass"), connectors=ABLE):
        assert fault.line <= text.count("\n") + text.count("\r") + 2
        assert fault.what
        assert fault.do.endswith((".", "?"))


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.sampled_from(["${SHOP_TOKEN}", "erp", "${A"])
)
KEYS = ["connector", "settings", "name", "channel", "erp", "orders", "token", "app_key", "skus", "tax", "mode", "file"]
KEYS += [
    "enabled",
    "buffer",
    "by_sku",
    "units",
    "locations",
    "location",
    "share",
    "pool",
    "default",
    "images",
    "disabled",
]
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@quiet
@given(connection=values, orders=values, timing=values, stock=values, products=values)
def test_values_of_any_shape_in_any_place_never_raise_anything_else(
    tmp_path: Path, connection: object, orders: object, timing: object, stock: object, products: object
) -> None:
    text = PLAIN.replace("routes:", f"  odd: {json.dumps(connection)}\nroutes:")
    sections = f"orders: {json.dumps(orders)}, inventory: {json.dumps(stock)}, products: {json.dumps(products)}"
    text += f"  - {{name: two, channel: shop-us, erp: katana, {sections}}}\n"
    text += f"  - {{name: three, channel: odd, erp: katana, inventory: {json.dumps(products)}, fulfillments: 5}}\n"
    text += f"timing: {json.dumps(timing)}\n"
    for fault in faults_of(tmp_path, text, ENVIRON, connectors=ABLE):
        assert fault.line >= 1
