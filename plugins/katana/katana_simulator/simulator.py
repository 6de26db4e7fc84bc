"""The simulator as the hub sees it: start, stop, where it is, and the settings that reach it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from urllib.parse import parse_qs

from katana_simulator.clock import Clock
from katana_simulator.control import control, login_settings
from katana_simulator.exchange import Request
from katana_simulator.gateway import BASE, Gateway, Reply
from katana_simulator.options import Options
from katana_simulator.transport import Server
from katana_simulator.world import World


class Simulator:
    """A Katana account behind a real HTTP server on loopback.

    `options` are the switches of options.py, as text; they can be changed later by `POST /_sim/options`.
    """

    role = "erp"
    connector = "katana"

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, options: Mapping[str, str] | None = None) -> None:
        if host not in ("127.0.0.1", "localhost"):
            raise ValueError(f"the simulator serves on loopback only, not on {host}")
        self._options = Options(options)
        self._gateway = Gateway(World(self._options, Clock()))
        self._port = port
        self._server: Server | None = None
        self._thread: threading.Thread | None = None
        self.url = ""

    def start(self) -> None:
        """Bind and serve in background threads; `url` is known afterwards."""
        self._server = Server(("127.0.0.1", self._port), self._serve)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._gateway.url = self.url
        self._gateway.sender.start()
        serve = self._server.serve_forever
        self._thread = threading.Thread(
            target=serve, kwargs={"poll_interval": 0.01}, name="katana-simulator", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and cut open connections; the state is kept, and `start` serves it again."""
        self._gateway.sender.stop()
        if self._server is not None and self._thread is not None:
            self._server.stop()
            self._thread.join()
            self._server = self._thread = None

    def settings(self) -> dict[str, str]:
        return {"api_key": self._options["api_key"], "api_url": f"{self.url}{BASE}"}

    def login_settings(self) -> dict[str, str]:
        """What a partner app knows of the login host, secrets in plain text."""
        return login_settings(self._gateway)

    def _serve(self, method: str, target: str, headers: dict[str, str], raw: bytes) -> Reply | None:
        path, _, query = target.partition("?")
        if path.startswith("/_sim/"):
            return control(self._gateway, method, path, query, raw)
        parsed = parse_qs(query, keep_blank_values=True) if query else {}
        return self._gateway.serve(Request(method, path, query, parsed, headers, raw))
