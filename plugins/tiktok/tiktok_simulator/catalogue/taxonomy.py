"""A small tree of categories with their attributes, rules and brands (8.9); every id is made up."""

from __future__ import annotations

from dataclasses import dataclass

from tiktok_simulator.wire import Json


@dataclass(frozen=True, slots=True)
class Category:
    """One category; only leaves take products."""

    id: str
    parent_id: str
    name: str
    is_leaf: bool
    words: tuple[str, ...] = ()
    permission: str = "AVAILABLE"
    needs_certificate: bool = False


CATEGORIES = {
    category.id: category
    for category in (
        Category("600001", "0", "Home Supplies", False),
        Category("600024", "600001", "Kitchenware", False),
        Category("600154", "600024", "Mugs", True, ("mug", "cup")),
        Category("600155", "600024", "Kitchen Knives", True, ("knife",), "INVITE_ONLY"),
        Category("601450", "0", "Clothing", False),
        Category("601302", "601450", "T-shirts", True, ("tee", "shirt")),
        Category("700437", "0", "Toys", False),
        Category("700645", "700437", "Puzzles", True, ("puzzle", "toy"), needs_certificate=True),
    )
}
COLOUR: Json = {
    "id": "100000",
    "name": "Color",
    "type": "SALES_PROPERTY",
    "is_requried": False,
    "is_customizable": True,
    "is_multiple_selection": False,
    "values": [{"id": "1000001", "name": "Blue"}, {"id": "1000002", "name": "Red"}],
}
MATERIAL: Json = {
    "id": "100398",
    "name": "Material",
    "type": "PRODUCT_PROPERTY",
    "is_requried": False,
    "is_customizable": True,
    "is_multiple_selection": True,
    "values": [{"id": "1000101", "name": "Ceramic"}, {"id": "1000102", "name": "Cotton"}],
}
ATTRIBUTES = (COLOUR, MATERIAL)
BRANDS = {
    "7082427311584347905": {"name": "Own Brand", "authorized_status": "AUTHORIZED"},
    "7082427311584347906": {"name": "Other Brand", "authorized_status": "UNAUTHORIEZD"},  # the docs' own spelling
}


def listed(keyword: str) -> list[Json]:
    """The categories whose name holds the keyword."""
    return [
        {
            "id": one.id,
            "parent_id": one.parent_id,
            "local_name": one.name,
            "is_leaf": one.is_leaf,
            "permission_statuses": [one.permission],
        }
        for one in CATEGORIES.values()
        if keyword.lower() in one.name.lower()
    ]


def recommended(title: str) -> Category:
    """The leaf whose words stand in a title, mugs by default."""
    words = title.lower()
    leaves = [one for one in CATEGORIES.values() if one.is_leaf]
    return next((one for one in leaves if any(word in words for word in one.words)), leaves[0])


def chain(category: Category) -> list[Json]:
    """A category with everything above it, the root first."""
    found: list[Json] = []
    one: Category | None = category
    while one is not None:
        found.insert(0, {"id": one.id, "name": one.name, "level": 0, "is_leaf": one.is_leaf})
        one = CATEGORIES.get(one.parent_id)
    return [{**entry, "level": level} for level, entry in enumerate(found, 1)]
