"""Page tokens: opaque to callers, with + and / in each of them on purpose (T-47)."""

from __future__ import annotations

import base64
import json
import zlib

from tiktok_simulator.feed import Place
from tiktok_simulator.params import Params
from tiktok_simulator.wire import Json, dumps
from tiktok_simulator.world import World

MARK = b"\xfb\xef\xbe\xff\xff\xff"  # these bytes read ++++//// in base64


def page_token(place: Place, question: Json, now: float) -> str:
    """The token of the next page of a question."""
    key = list(place.key) if place.key else None
    content = dumps({"k": key, "r": place.row, "q": _digest(question), "t": int(now)})
    return base64.b64encode(MARK + content).decode()


def read_page_token(world: World, params: Params, question: Json) -> Place | None:
    """Where the token of a call points to; it must belong to the same question and not be too old (T-51)."""
    token = params.text("page_token")
    if not token:
        return None
    try:
        content = base64.b64decode(token, validate=True).removeprefix(MARK)
        known = json.loads(content)
        place = Place((known["k"][0], known["k"][1]) if known["k"] else None, known["r"])
        digest, issued = known["q"], known["t"]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise params.wrong("page_token is malformed") from error
    if digest != _digest(question):
        raise params.wrong("page_token belongs to another query")
    life = world.options.number("page_token_life_s")
    if life is not None and world.clock.now() > issued + life:
        raise params.wrong("page_token has expired")
    return place


def _digest(question: Json) -> int:
    return zlib.crc32(json.dumps(question, sort_keys=True).encode())
