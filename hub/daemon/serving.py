"""The daemon: a scheduler that visits lanes until it is told to stop, and reads the route file again when asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hub.config import RouteFileError
from hub.contract import HubError
from hub.daemon import Stopping, busy, embedded
from hub.daemon.embedded import Observe, Orders
from hub.engine.outcome import tell_resting
from hub.engine.progress import Progress
from hub.engine.world import World

LANES = 8
FAULTS_TOLD = 20


@dataclass(slots=True)
class Daemon:
    """One process that works until it is told to stop.

    Attributes:
        world: the present one; another after each reload.
        reopen: builds the World anew on the same store, from the route file and environment as they are now.
        threads: how many Connections are visited at once.
    """

    world: World
    asked: Stopping
    reopen: Callable[[], World] | None = None
    threads: int = LANES
    observe: Observe = lambda connection, seconds, ended: None
    on_reload: Callable[[bool], None] = lambda is_taken: None
    orders: Orders = field(init=False)

    def __post_init__(self) -> None:
        self.orders = Orders(self.asked.event, self.asked.reload)

    def serve(self) -> None:
        """Work until told to stop.

        Raises:
            TransientError: another process works for one of the Connections.
        """
        world = self.world
        world.log.info(
            "hub-started",
            routes=[route.name for route in world.working()],
            connections=sorted(world.connected),
            database=world.store.label,
        )
        tell_resting(world)
        while not self.asked.event.is_set():
            self._work()
            if self.asked.reload.is_set() and not self.asked.event.is_set():
                self.asked.reload.clear()
                self.on_reload(self._reload())
        self.world.log.info("hub-stopped")

    def wake(self, connection: str) -> None:
        """Have a Connection visited at once."""
        self.orders.wake(connection)

    def _work(self) -> None:
        if self.world.store.is_shared:
            from hub.daemon import distributed  # needs what only the extra "postgres" installs

            distributed.run(self.world, Progress(), self.orders, threads=self.threads, observe=self.observe)
            return
        progress = Progress(tell=lambda progress: self.asked.event.set() if progress.busy else None)
        embedded.run(
            self.world, progress, self.asked.event, threads=self.threads, orders=self.orders, observe=self.observe
        )
        if progress.busy:
            raise busy(progress.busy)

    def _reload(self) -> bool:
        """Take the route file as it is now; where it is refused, then as a whole, and work goes on as before."""
        log = self.world.log
        if self.reopen is None:
            return False
        try:
            new = self.reopen()
        except RouteFileError as error:
            log.warning("routes-refused", faults=str(error).splitlines()[:FAULTS_TOLD], do="hub check says it all.")
            return False
        except HubError as error:
            log.warning("routes-refused", code=error.code, what=error.what, do=error.do)
            return False
        self.world.close_sessions()
        new.told_from = self.world.told_from
        self.world = new
        log.info("routes-reloaded", routes=[route.name for route in new.working()])
        return True
