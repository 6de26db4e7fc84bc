"""Reading one answer of HTTP/1.1: whole, or not at all.

The standard library reads headers as those of a mail, which takes as long as all the rest of an answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import BinaryIO

import httpx

MAX_ANSWER_BYTES = 64 * 1024 * 1024
CHUNK_BYTES = 1 << 20
MAX_LINE_BYTES = 1 << 16
MAX_HEADERS = 200
WITHOUT_BODY = (204, 304)

Headers = list[tuple[bytes, bytes]]
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-5]\d\d)(?: .*)?")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([^\r\n]*)\r?\n")  # RFC 9110, 5.6.2
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")  # of a chunk, with extensions nobody reads


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; ``reusable`` says that its connection may serve another request."""

    status: int
    headers: Headers
    content: bytes
    reusable: bool


def read_answer(stream: BinaryIO, method: str) -> Answer:
    """Read the answer to a request, after any that only say "go on".

    Raises:
        httpx.RemoteProtocolError: it ends too early, or is no HTTP/1.1.
        httpx.ReadError: it is too large to be meant.
    """
    while True:
        minor, status = _status(_line(stream))
        headers = _headers(stream)
        if status >= 200:
            break
    closing = _words(headers, b"connection")
    keeps = b"close" not in closing and (minor == b"1" or b"keep-alive" in closing)
    coded, lengths = _words(headers, b"transfer-encoding"), set(_words(headers, b"content-length"))
    if method == "HEAD" or status in WITHOUT_BODY:
        return Answer(status, headers, b"", keeps)
    if coded:
        if coded != [b"chunked"]:
            raise httpx.RemoteProtocolError("the answer's body is coded in a way that nobody asked for")
        return Answer(status, headers, _chunks(stream), keeps)
    if lengths:
        length = lengths.pop()
        if lengths or not length.isdigit():
            raise httpx.RemoteProtocolError("the answer does not say how long it is")
        return Answer(status, headers, _exactly(stream, int(length)), keeps)
    return Answer(status, headers, _to_the_end(stream), False)


def _line(stream: BinaryIO) -> bytes:
    return _ended(stream.readline(MAX_LINE_BYTES))


def _ended(line: bytes) -> bytes:
    if not line.endswith(b"\n"):
        raise httpx.RemoteProtocolError("the answer ends within a line" if line else "the answer ends too early")
    return line.rstrip(b"\r\n")


def _status(line: bytes) -> tuple[bytes, int]:
    found = _STATUS.fullmatch(line)
    if found is None or found[2] == b"101":  # nobody asks to speak anything else
        raise httpx.RemoteProtocolError("the answer does not begin like one")
    return found[1], int(found[2])


def _headers(stream: BinaryIO) -> Headers:
    headers: Headers = []
    while True:
        line = stream.readline(MAX_LINE_BYTES)
        if (found := _FIELD.fullmatch(line)) is not None and len(headers) < MAX_HEADERS:
            headers.append((found[1], found[2].strip()))
        elif not (other := _ended(line)):
            return headers
        elif headers and other[:1] in b" \t":  # a value that goes on in the next line
            headers[-1] = (headers[-1][0], headers[-1][1] + b" " + other.strip())
        else:
            raise httpx.RemoteProtocolError("the answer's headers cannot be read")


def _words(headers: Headers, name: bytes) -> list[bytes]:
    """Return the comma-separated words of a header, in lower case."""
    values = [value for key, value in headers if key.lower() == name]
    return [word for value in values for part in value.lower().split(b",") if (word := part.strip())]


def _exactly(stream: BinaryIO, length: int) -> bytes:
    if length > MAX_ANSWER_BYTES:
        raise httpx.ReadError(f"the answer is larger than {MAX_ANSWER_BYTES} bytes")
    content = stream.read(length)
    if len(content) < length:
        raise httpx.RemoteProtocolError("the answer ends too early")
    return content


def _chunks(stream: BinaryIO) -> bytes:
    content = bytearray()
    while True:
        found = _SIZE.fullmatch(_line(stream))
        if found is None:
            raise httpx.RemoteProtocolError("a chunk of the answer does not say how long it is")
        size = int(found[1], 16)
        if not size:
            _headers(stream)  # trailers, which nobody reads
            return bytes(content)
        if len(content) + size > MAX_ANSWER_BYTES:
            raise httpx.ReadError(f"the answer is larger than {MAX_ANSWER_BYTES} bytes")
        content += _exactly(stream, size)
        if _line(stream):
            raise httpx.RemoteProtocolError("a chunk of the answer is longer than it says")


def _to_the_end(stream: BinaryIO) -> bytes:
    content = bytearray()
    while chunk := stream.read(CHUNK_BYTES):
        content += chunk
        if len(content) > MAX_ANSWER_BYTES:
            raise httpx.ReadError(f"the answer is larger than {MAX_ANSWER_BYTES} bytes")
    return bytes(content)
