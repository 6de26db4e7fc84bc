"""YAML text in, plain data and the place of every value out.

The hub reads the events of ruamel.yaml's parser and builds the data itself, because the rules are stricter than a
loader's: only what YAML 1.2's core schema calls a number or a truth value is one (``NO`` and ``2026-01-15`` are text),
numbers are Decimal or int and never float, a key stands once, and an alias cannot blow a file up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from hub.config.faults import Place, Report, child, printable
from hub.config.references import BARRED, CLOSE, DOLLAR, OPEN, mask

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 24
MAX_VALUES = 100_000
_TEXT_TAG = "tag:yaml.org,2002:str"
_INTEGER = re.compile(r"[-+]?[0-9]{1,30}")
_DECIMAL = re.compile(r"[-+]?([0-9]{1,30}\.[0-9]{0,30}|\.[0-9]{1,30})")
_WORDS: dict[str, bool | None] = dict.fromkeys(("", "~", "null", "Null", "NULL"))
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(("false", "False", "FALSE"), False)
# What ruamel's scanner raises besides its own errors, on escapes and directives it does not check.
_STRAY = (ValueError, OverflowError, IndexError, AttributeError, AssertionError, KeyError, TypeError)


@dataclass(slots=True)
class Node:
    """One value of the YAML text, not yet copied to each place that an alias puts it."""

    line: int
    column: int
    value: Any = None
    items: list[Node] | None = None
    members: list[tuple[Node, Node]] | None = None


class _SyntaxFault(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, line: int, column: int, what: str, do: str) -> None:
        super().__init__(what)
        self.place, self.what, self.do = Place(line, column, line, column), what, do


def read_text(report: Report) -> str:
    """Return the route file's text, without a byte order mark.

    Raises: RouteFileError where it cannot be read, is empty, too big or not UTF-8.
    """
    raw = b""
    what = do = ""
    try:
        with report.path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except IsADirectoryError:
        what, do = "this is a directory", "Name the route file inside it."
    except FileNotFoundError:
        what, do = "there is no such file", "Check the path; hub init writes one to begin with."
    except (OSError, ValueError) as error:
        what, do = f"the file cannot be opened ({_reason(error)})", "Check the path and its permissions."
    if not what and len(raw) > MAX_BYTES:
        what, do = "the file is larger than 1 MiB", "Check that this is a route file."
    if what:
        return _refuse(report, None, "file-unreadable", what, do)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace")
        place = _place_at(before, len(before))
        return _refuse(report, place, "file-unreadable", "the file is not UTF-8 from here on", "Save it as UTF-8.")
    if not text.strip():
        return _refuse(
            report, None, "file-unreadable", "the file is empty", "Delete it; hub init writes one to begin with."
        )
    return text


def parse(text: str, report: Report) -> Any:
    """Return plain data, references still masked, and fill ``report.places``.

    Raises: RouteFileError, with one fault, where the text is not YAML.
    """
    for mark in (DOLLAR, OPEN, CLOSE):
        if mark in text:
            place = _place_at(text, text.index(mark))
            what = "this character is from Unicode's private area"
            return _refuse(report, place, "yaml-syntax", what, "Remove it.")
    try:
        root = _Composer(YAML(typ="safe", pure=True).parse(mask(text))).document()
        return _Spreader(report).spread(root, "", root)
    except _SyntaxFault as fault:
        return _refuse(report, fault.place, "yaml-syntax", fault.what, fault.do)
    except (YAMLError, *_STRAY) as error:
        place, what = _explain(error, text)
        do = "Check brackets, quotes, colons and indentation there and on the line above."
        return _refuse(report, place, "yaml-syntax", what, do)


@dataclass(slots=True)
class _Composer:
    """Events to nodes."""

    events: Iterator[Any]  # ruamel types its events in part only
    anchors: dict[str, Node] = field(default_factory=dict)

    def document(self) -> Node:
        root: Node | None = None
        for event in self.events:
            if isinstance(event, DocumentStartEvent):
                if root is not None:
                    raise _fault(event, "a second document begins here", "Keep one document per file; remove the ---.")
                root = self._node(next(self.events), 1)
        return root if root is not None else Node(1, 1)

    def _node(self, event: Any, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise _fault(event, f"nested deeper than {MAX_DEPTH} levels", "Route files are flat; check the brackets.")
        if isinstance(event, AliasEvent):
            if event.anchor not in self.anchors:
                raise _fault(event, "this alias has no anchor before it", "Put a text that begins with * in quotes.")
            return self.anchors[event.anchor]
        node = Node(event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, ScalarEvent):
            node.value = _scalar(event)
        elif isinstance(event, SequenceStartEvent):
            node.items = list(self._sequence(depth))
        elif isinstance(event, MappingStartEvent):
            node.members = list(self._mapping(depth))
        if event.tag not in (None, _TEXT_TAG):
            raise _fault(event, "route files have no tags", "Put a text that begins with ! in quotes.")
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def _sequence(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := next(self.events), SequenceEndEvent):
            yield self._node(event, depth + 1)

    def _mapping(self, depth: int) -> Iterator[tuple[Node, Node]]:
        while not isinstance(event := next(self.events), MappingEndEvent):
            if not isinstance(event, ScalarEvent):
                raise _fault(event, "a key must be a plain word", "Put it in quotes if it is a text.")
            # Keys are always text: a SKU may look like a number.
            key = Node(event.start_mark.line + 1, event.start_mark.column + 1, str(event.value))
            if event.anchor:
                self.anchors[event.anchor] = key
            yield key, self._node(next(self.events), depth + 1)


@dataclass(slots=True)
class _Spreader:
    """Nodes to plain data; an alias is spread to its own place, at most MAX_VALUES in all."""

    report: Report
    left: int = MAX_VALUES

    def spread(self, node: Node, pointer: str, key: Node) -> Any:
        self.left -= 1
        if self.left < 0:
            what = f"the file holds more than {MAX_VALUES} values, aliases counted each time"
            raise _SyntaxFault(node.line, node.column, what, "Split it, or use fewer aliases.")
        # The parser puts a value that is left out where the next word stands; its key is what a person looks for.
        start = key if node.value is None and node.items is None and node.members is None else node
        self.report.places[pointer] = Place(start.line, start.column, key.line, key.column)
        if node.members is not None:
            return self._members(node.members, pointer)
        if node.items is not None:
            return [self.spread(item, child(pointer, at), item) for at, item in enumerate(node.items)]
        if isinstance(node.value, str) and BARRED.search(node.value):
            raise _SyntaxFault(node.line, node.column, "this text holds a character that is no text", "Remove it.")
        return node.value

    def _members(self, members: list[tuple[Node, Node]], pointer: str) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key, value in members:
            name = self._key(key)
            if name in data:
                at, first = child(pointer, name), self.report.places[child(pointer, name)]
                what, do = f"{printable(name)} stands twice", f"Keep one; the first is on line {first.key_line}."
                place = Place(value.line, value.column, key.line, key.column)
                self.report.wrong_key(at, "duplicate-key", what, do, place=place)
                continue
            data[name] = self.spread(value, child(pointer, name), key)
        return data

    def _key(self, key: Node) -> str:
        if BARRED.search(key.value):
            raise _SyntaxFault(key.line, key.column, "this key holds a character that is no text", "Remove it.")
        if DOLLAR in key.value:
            raise _SyntaxFault(key.line, key.column, "a key cannot be a reference", "Write the key itself.")
        if key.value == "<<":
            raise _SyntaxFault(key.line, key.column, "route files have no merge keys", "Write the keys out.")
        return str(key.value)


def _scalar(event: ScalarEvent) -> Any:
    text = str(event.value)
    if event.style is not None or event.tag is not None:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return Decimal(text) if _DECIMAL.fullmatch(text) else text


def _fault(event: Any, what: str, do: str) -> _SyntaxFault:
    return _SyntaxFault(event.start_mark.line + 1, event.start_mark.column + 1, what, do)


def _explain(error: Exception, text: str) -> tuple[Place, str]:
    if isinstance(error, ReaderError):
        return _place_at(text, error.position), "a control character stands here"
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        line, column = error.problem_mark.line + 1, error.problem_mark.column + 1
        problem = " ".join(str(error.problem or "").split())
        # A scanner may quote the text it met, and that text may be a secret.
        quotes = [word for word in re.findall(r"'([^']*)'", problem) if len(word) > 1 and not word.startswith("<")]
        what = "this is not YAML" + ("" if quotes or not problem else f": {printable(problem, 120)}")
        return Place(line, column, line, column), what
    return Place(1, 1, 1, 1), "this is not YAML"


def _place_at(text: str, position: int) -> Place:
    before = text[:position]
    line, column = before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1
    return Place(line, column, line, column)


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or "not a possible path"


def _refuse(report: Report, place: Place | None, code: str, what: str, do: str) -> str:
    """Make this the file's only fault."""
    report.faults.clear()
    report.places = {"": place or Place(0, 0, 0, 0)}
    report.wrong("", code, what, do)
    report.raise_faults()
    raise AssertionError("unreachable")
