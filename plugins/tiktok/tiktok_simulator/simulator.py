"""The simulator as the hub finds it: start, stop, and the settings that reach it."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from tiktok_simulator.clock import Clock
from tiktok_simulator.control import PREFIX, Control
from tiktok_simulator.options import Options
from tiktok_simulator.server import Server
from tiktok_simulator.system import System
from tiktok_simulator.wire import Reply, Request
from tiktok_simulator.world import World


class Simulator:
    """A TikTok Shop on loopback: API host, token host, consent page and control calls on one port."""

    role = "channel"
    connector = "tiktok"

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, options: Mapping[str, str] | None = None) -> None:
        if host != "127.0.0.1":
            raise ValueError(f"the simulator serves 127.0.0.1 only, not {host}")
        self._address = (host, port)
        self._world = World(Options(options), Clock())
        self._system = System(self._world)
        self._control = Control(self._world, self._system.pages, self.settings)
        self._server: Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where the server listens; known once it is started."""
        if self._server is None:
            raise RuntimeError("the simulator is not started: call start() first")
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        """Bind and serve in background threads."""
        self._server = Server(self._address, self._answer, self._world.clock.now)
        self._world.documents.base_url = self.url
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self._world.outlet.mailer.open()

    def stop(self) -> None:
        """Stop serving and close every connection; a simulator that is not started stays so."""
        if self._server is None or self._thread is None:
            return
        self._world.outlet.mailer.close()
        self._server.shutdown()
        self._server.server_close()
        self._server.close_connections()
        self._thread.join()
        self._server = self._thread = None

    def settings(self) -> dict[str, str]:
        """The connector settings that reach this server, with a refresh token that is not used up yet (T-01).

        A hub that starts anew with an empty store can therefore ask again; a withdrawn authorisation stays withdrawn.
        """
        return {
            "app_key": self._world.options["app_key"],
            "app_secret": self._world.options["app_secret"],
            "refresh_token": self._world.tokens.standing().refresh,
            "shop": self._world.shops.first.id,
            "api_url": self.url,
            "auth_url": self.url,
            "consent_url": f"{self.url}/open/authorize",  # T-03
        }

    def _answer(self, request: Request) -> Reply:
        if request.path.startswith(PREFIX):
            return self._control.answer(request)
        return self._system.answer(request)
