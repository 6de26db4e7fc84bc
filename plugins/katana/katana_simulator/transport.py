"""HTTP/1.1 on a loopback socket, kept lean because benchmarks run against it.

The standard handler parses headers with the email package, which alone would halve the speed; this one splits lines.
"""

from __future__ import annotations

import socket
import socketserver
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from katana_simulator.gateway import Reply

Serve = Callable[[str, str, dict[str, str], bytes], Reply | None]
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


class Server(socketserver.ThreadingTCPServer):
    """One thread per connection; `stop` cuts the connections that are still open."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, address: tuple[str, int], serve: Serve) -> None:
        self.serve = serve
        self._open: set[socket.socket] = set()
        super().__init__(address, _Connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def stop(self) -> None:
        self.shutdown()
        for request in list(self._open):
            try:
                request.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent when a client goes away in the middle of a call."""


class _Connection(socketserver.StreamRequestHandler):
    rbufsize = 1 << 16
    disable_nagle_algorithm = True
    server: Server

    def handle(self) -> None:
        try:
            while self._serve_one():
                pass
        except (ConnectionError, TimeoutError):
            return

    def _serve_one(self) -> bool:
        """Answer one call; false when the connection is to be closed."""
        line = self.rfile.readline(1 << 16)
        parts = line.split()
        if len(parts) != 3:
            return False
        headers = self._read_headers()
        length = headers.get("content-length", "0")
        if "transfer-encoding" in headers or not length.isdecimal():
            self.wfile.write(_encode(Reply(411, {"Connection": "close"}, b"")))
            return False
        body = self.rfile.read(int(length)) if length != "0" else b""
        reply = self.server.serve(parts[0].decode("latin-1"), parts[1].decode("latin-1"), headers, body)
        if reply is None:
            return False
        message = _encode(reply)
        if reply.is_cut:
            self.wfile.write(message[: len(message) - (len(reply.body) + 1) // 2])
            return False
        self.wfile.write(message)
        return headers.get("connection", "").lower() != "close"

    def _read_headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        while True:
            line = self.rfile.readline(1 << 16)
            if line in (b"\r\n", b"\n", b""):
                return headers
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()


def _encode(reply: Reply) -> bytes:
    """Headers and body in one piece, for a single write."""
    headers = reply.headers if reply.status == 204 else {"Content-Type": "application/json"} | reply.headers
    lines = [f"HTTP/1.1 {reply.status} {_PHRASES.get(reply.status, '')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if reply.status != 204:
        lines.append(f"Content-Length: {len(reply.body)}")
    return "\r\n".join([*lines, "\r\n"]).encode("latin-1") + reply.body
