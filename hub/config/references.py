"""References to environment variables: ``${NAME}``, anywhere in a text of a route file.

Plain YAML refuses an unquoted ``${NAME}`` inside ``{...}``. So each reference is masked before the text is parsed, by
characters of Unicode's private area, one for one: every column stays true.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from hub.config.faults import Report, child, printable

DOLLAR, OPEN, CLOSE = "\ue000", "\ue001", "\ue002"
NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_WRITTEN = re.compile(r"\$\{(" + NAME + r")\}")
_MASKED = re.compile(DOLLAR + OPEN + f"({NAME})" + CLOSE)
_UNMASK = str.maketrans({DOLLAR: "$", OPEN: "{", CLOSE: "}"})
BARRED = re.compile("[\x00\ud800-\udfff]")
"""Characters that are no text: a database or a terminal would choke on them."""


def mask(text: str) -> str:
    """Hide each reference from the YAML parser; same length."""
    return _WRITTEN.sub(lambda found: f"{DOLLAR}{OPEN}{found[1]}{CLOSE}", text)


def unmask(text: str) -> str:
    """Return a text as it was written."""
    return text.translate(_UNMASK)


def only_reference(text: str) -> str | None:
    """Return the variable's name where a text, as written, is one reference and nothing else."""
    found = _WRITTEN.fullmatch(text)
    return found[1] if found else None


def resolve(data: Any, keep: Collection[str], environ: Mapping[str, str], report: Report, pointer: str = "") -> Any:
    """Return the data with every reference replaced, but for the pointers in ``keep``, which stay as written."""
    if isinstance(data, dict):
        return {key: resolve(value, keep, environ, report, child(pointer, key)) for key, value in data.items()}
    if isinstance(data, list):
        return [resolve(value, keep, environ, report, child(pointer, at)) for at, value in enumerate(data)]
    if not isinstance(data, str):
        return data
    return unmask(data) if pointer in keep else _resolve_text(data, environ, report, pointer)


def _resolve_text(text: str, environ: Mapping[str, str], report: Report, pointer: str) -> str:
    if "${" in text:
        report.wrong(
            pointer,
            "reference-malformed",
            "${ does not begin a reference",
            "Write ${NAME}, with letters, digits and underscores only.",
        )
    names = _MASKED.findall(text)
    if not names:
        return text
    report.sources[pointer] = unmask(text)
    for name in names:
        look_up(name, environ, report, pointer)
    return _MASKED.sub(lambda found: environ.get(found[1], ""), text)


def look_up(name: str, environ: Mapping[str, str], report: Report, pointer: str) -> str | None:
    """Return a variable's value; None, and a fault, where it is not set or is no text."""
    value = environ.get(name)
    shown = printable(name)
    if value is None:
        what, do = f"the environment has no {shown}", f"Set {shown} where the hub runs."
        report.wrong(pointer, "reference-missing", what, do)
    elif BARRED.search(value):
        what, do = f"the variable {shown} holds bytes that are no text", f"Set {shown} to plain UTF-8 text."
        report.wrong(pointer, "reference-missing", what, do)
        return None
    else:
        report.hidden.add(value)
    return value
