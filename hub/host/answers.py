"""Reading one answer of HTTP/1.1: whole, or not at all. What its bytes mean is for httptools to say."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import httptools
import httpx

MAX_ANSWER_BYTES = 64 * 1024 * 1024
MAX_HEAD_BYTES = 1 << 18
AT_ONCE_BYTES = 1 << 16

Headers = list[tuple[bytes, bytes]]


class Answer:
    """The answer to a request, as it comes in; methods that begin with ``on_`` are called by the parser.

    Attributes:
        is_whole: nothing that is still to come belongs to it.
        reusable: its connection may serve another request.
    """

    def __init__(self, method: str) -> None:
        self.headers: Headers = []
        self.is_whole, self.reusable, self.status = False, False, 0
        self._has_body, self._parts = method != "HEAD", list[bytes]()
        self._size = self._head_size = self._body_size = 0
        self._in_head, self._has_end = True, False
        self._fault: httpx.TransportError | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(lenient_headers=True)  # a value may go on in the next line: RFC 9112, 5.2

    @property
    def content(self) -> bytes:
        """Return the body as it travelled."""
        return b"".join(self._parts)

    def unpacked(self) -> tuple[Headers, bytes]:
        """Return the body as it was meant, and the headers that go with it.

        Raises:
            httpx.RemoteProtocolError: it is packed in a way that nobody asked for, or ends too early.
            httpx.ReadError: it is too large to be meant.
        """
        packed = [value.lower() for name, value in self.headers if name.lower() == b"content-encoding"]
        headers = [pair for pair in self.headers if pair[0].lower() != b"content-encoding"]
        if packed in ([], [b"identity"]) or not self._parts:
            return headers, self.content
        if packed != [b"gzip"]:
            raise httpx.RemoteProtocolError("the answer's body is packed in a way that nobody asked for")
        return headers, _unzipped(self.content)

    def feed(self, data: bytes) -> None:
        """Take in what came next; nothing at all is the end of the connection.

        Raises:
            httpx.RemoteProtocolError: it is no HTTP/1.1, or ends too early.
            httpx.ReadError: it is too large to be meant.
        """
        if not data:
            self._end()
            return
        self._size += len(data)
        if self._in_head:
            self._head_size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            raise httpx.RemoteProtocolError("the answer speaks of another protocol, which nobody asked for") from None
        except httptools.HttpParserError as error:
            raise self._fault or httpx.RemoteProtocolError(f"the answer cannot be read ({error})") from None
        if self._in_head and self._head_size > MAX_HEAD_BYTES:
            raise httpx.ReadError(f"the answer's headers are larger than {MAX_HEAD_BYTES} bytes")
        if self._size > 2 * MAX_ANSWER_BYTES + MAX_HEAD_BYTES:  # what parts of a body are wrapped in is not its body
            raise _too_large()

    def _end(self) -> None:
        if self._in_head or self._has_end:
            raise httpx.RemoteProtocolError("the answer ends too early")
        self.is_whole = True

    def on_message_begin(self) -> None:
        """Begin; what follows the answer itself was not asked for, so nothing more is asked on that connection."""
        if self.is_whole:
            self.reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take in a header; one that comes after the body is of no use to anybody."""
        if name[-1:].isspace():
            self._refuse(httpx.RemoteProtocolError("the answer's headers cannot be read"))
        if self._in_head:
            self.headers.append((name, value.strip()))

    def on_headers_complete(self) -> None:
        """See where it will end."""
        if self.is_whole:
            return
        self.status = self._parser.get_status_code()
        if self.status < 200:  # only a word to go on
            self.headers.clear()
            return
        self._in_head = False
        coded = [value.lower() for name, value in self.headers if name.lower() == b"transfer-encoding"]
        lengths = [value for name, value in self.headers if name.lower() == b"content-length"]
        if coded not in ([], [b"chunked"]):
            self._refuse(httpx.RemoteProtocolError("the answer's body is coded in a way that nobody asked for"))
        if lengths and int(lengths[0]) > MAX_ANSWER_BYTES and self._has_body:
            self._refuse(_too_large())
        self._has_end = bool(coded or lengths) or self.status in (204, 304)
        if not self._has_body:
            self._finish()

    def on_body(self, data: bytes) -> None:
        """Take in a part of the body."""
        if self.is_whole:  # the answer to a HEAD has none
            self.reusable = False
            return
        self._body_size += len(data)
        if self._body_size > MAX_ANSWER_BYTES:
            self._refuse(_too_large())
        self._parts.append(data)

    def on_message_complete(self) -> None:
        """End."""
        if not self._in_head and not self.is_whole:
            self._finish()

    def _finish(self) -> None:
        self.is_whole, self.reusable = True, self._parser.should_keep_alive()

    def _refuse(self, fault: httpx.TransportError) -> None:
        self._fault = fault
        raise fault


def _unzipped(data: bytes) -> bytes:
    zipped = zlib.decompressobj(wbits=31)
    try:
        found = zipped.decompress(data, MAX_ANSWER_BYTES + 1)
    except zlib.error as error:
        raise httpx.RemoteProtocolError("the answer's body cannot be unpacked") from error
    if len(found) > MAX_ANSWER_BYTES:
        raise _too_large()
    if not zipped.eof or zipped.unused_data:
        raise httpx.RemoteProtocolError("the answer's packed body ends too early or too late")
    return found


def _too_large() -> httpx.ReadError:
    return httpx.ReadError(f"the answer is larger than {MAX_ANSWER_BYTES} bytes")


def read_answer(receive: Callable[[int], bytes], method: str) -> Answer:
    """Read the answer to a request, after any that only say "go on".

    Args:
        receive: returns the next bytes, up to a number; none where the connection has ended.

    Raises:
        httpx.RemoteProtocolError: it ends too early, or is no HTTP/1.1.
        httpx.ReadError: it is too large to be meant.
    """
    answer = Answer(method)
    while not answer.is_whole:
        answer.feed(receive(AT_ONCE_BYTES))
    return answer
