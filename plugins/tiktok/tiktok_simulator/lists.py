"""Pages of lists other than orders: windows, tests, tokens, in one place."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import TypeVar

from tiktok_simulator.feed import Feed, Key, Timed, cut
from tiktok_simulator.gateway import Call
from tiktok_simulator.page_tokens import page_token, read_page_token
from tiktok_simulator.params import Params
from tiktok_simulator.wire import Json
from tiktok_simulator.world import World

Item = TypeVar("Item", bound=Timed)
TIMES: Json = {"create_time_ge": int, "create_time_lt": int, "update_time_ge": int, "update_time_lt": int}


def within(item: Timed, filters: Json) -> bool:
    """Whether both times of an item lie in the asked windows; `_ge` includes, `_lt` excludes."""
    for name, value in (("create_time", item.create_time), ("update_time", item.update_time)):
        if value < filters.get(f"{name}_ge", value) or value >= filters.get(f"{name}_lt", value + 1):
            return False
    return True


def rows_of(
    feed: Feed, sort_field: str, filters: Json, items: dict[str, Item], fits: Callable[[Item], bool]
) -> list[Key]:
    """The keys of the fitting items, ascending by the sorted time."""
    keys = feed.by_update if sort_field == "update_time" else feed.by_create
    start = bisect_left(keys, (int(filters.get(f"{sort_field}_ge", 0)), ""))
    end = bisect_left(keys, (int(filters[f"{sort_field}_lt"]), "")) if f"{sort_field}_lt" in filters else len(keys)
    return [key for key in keys[start:end] if within(items[key[1]], filters) and fits(items[key[1]])]


def chosen_rows(items: Iterable[Timed], sort_field: str) -> list[Key]:
    """The keys of a few items, ascending by the sorted time."""
    return sorted((int(getattr(item, sort_field)), item.id) for item in items)


def page_of(
    world: World, call: Call, rows: list[Key], size: int, question: Json, *, descending: bool
) -> tuple[list[str], Json]:
    """The ids of one page and what stands beside them in the answer."""
    params = Params(world, call)
    asked = {"shop": call.shop.id if call.shop else "", **question, "desc": descending}
    place = read_page_token(world, params, asked)
    by_row = world.options["paging"] == "offset"
    page = cut(rows, size, place, descending=descending, by_row=by_row, shift=world.shift)
    tail: Json = {"total_count": len(rows)}
    if page.following is not None:
        tail["next_page_token"] = page_token(page.following, asked, world.clock.now())
    elif world.options["last_page"] == "empty":
        tail["next_page_token"] = ""
    return page.ids, tail
