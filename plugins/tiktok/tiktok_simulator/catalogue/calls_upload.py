"""Uploads: pictures and files, multipart, without a shop cipher (8.9)."""

from __future__ import annotations

import hashlib
import struct

from tiktok_simulator.catalogue.codes import refusal
from tiktok_simulator.gateway import Call
from tiktok_simulator.multipart import parts_of
from tiktok_simulator.params import Params
from tiktok_simulator.wire import ApiError, Json
from tiktok_simulator.world import World

NOT_MULTIPART = 36009023
USES = ("MAIN_IMAGE", "ATTRIBUTE_IMAGE", "DESCRIPTION_IMAGE", "CERTIFICATION_IMAGE", "SIZE_CHART_IMAGE")
MOST_BYTES = 10_000_000
DAY_S = 86400
PNG, JPEG, BMP = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM"


def upload_image(world: World, call: Call) -> Json:
    """Take a picture in; its uri is what products name."""
    params = Params(world, call)
    params.asked()
    parts = _parts(call, params, {"data", "use_case"})
    content = parts.get("data", b"")
    use = parts.get("use_case", b"").decode() or USES[0]
    if not content or use not in USES:
        raise params.wrong("data is required and use_case must be a known one")
    if len(content) > MOST_BYTES:
        raise refusal(12038002)
    width, height = _size(content)
    low, high = (300, 4000) if use == "MAIN_IMAGE" else (100, 20000)
    if not (low <= width <= high and low <= height <= high):
        raise refusal(12038005)
    uri = f"tos-sim/{hashlib.sha256(content).hexdigest()[:32]}"
    world.images[uri] = use
    world.wrote = True
    url = world.documents.keep("img", "image/png", content, world.clock.now(), uri, 3650 * DAY_S)
    return {"uri": uri, "url": url, "width": width, "height": height, "use_case": use}


def upload_file(world: World, call: Call) -> Json:
    """Take a file in, such as a certificate or a video."""
    params = Params(world, call)
    params.asked()
    parts = _parts(call, params, {"data", "name"})
    content, name = parts.get("data", b""), parts.get("name", b"").decode()
    if not content or " " in name or name.count(".") != 1:
        raise params.wrong("data is required and name must hold one dot and no space")
    world.wrote = True
    number = hashlib.sha256(content).hexdigest()[:32]
    ending = name.rpartition(".")[2].upper()
    url = world.documents.keep("bin", "application/octet-stream", content, world.clock.now(), number, 3650 * DAY_S)
    return {"id": f"v-sim-{number}", "url": url, "name": name, "format": ending}


def _parts(call: Call, params: Params, known: set[str]) -> dict[str, bytes]:
    if call.request.media_type != "multipart/form-data":
        raise ApiError(NOT_MULTIPART, "content-type must be multipart/form-data")
    parts = parts_of(call.request)
    unknown = sorted(set(parts) - known)
    if unknown:
        raise params.wrong(f"unknown part {', '.join(unknown)}")
    return parts


def _size(content: bytes) -> tuple[int, int]:
    """Width and height, read from the file itself; WEBP and HEIC are taken on trust."""
    if content.startswith(PNG):
        return struct.unpack(">II", content[16:24])
    if content.startswith(BMP):
        return struct.unpack("<II", content[18:26])
    if content.startswith(JPEG):
        return _jpeg_size(content)
    if content[8:12] in (b"WEBP", b"mif1") or content[4:8] == b"ftyp":
        return 800, 800
    raise refusal(12038004)


def _jpeg_size(content: bytes) -> tuple[int, int]:
    """The size stands in the frame header, which comes after a chain of segments."""
    at = 2
    while at + 9 < len(content):
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        at += 2 + length
    raise refusal(12038004)
