"""`hub` as it is, but stopped (SIGSTOP) once: between the check of the deadline of a sales order and its bytes.

Run as `python -m bench.chaos.stopped MARK ARGUMENTS...`; MARK is a file that says it happened.
"""

from __future__ import annotations

import runpy
import signal
import socket
import sys
import threading
from pathlib import Path

from hub.host import transport

WANTED = b"POST /v1/sales_orders HTTP"


def main() -> None:
    """Lie in wait, then be the hub."""
    mark, send, turn = Path(sys.argv.pop(1)), transport._send, threading.Lock()

    def stop_and_send(sock: socket.socket, message: bytes, timeout_s: float | None) -> None:
        with turn:
            if message.startswith(WANTED) and not mark.exists():
                mark.touch()
                signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)  # this thread at once, then all
        send(sock, message, timeout_s)

    transport._send = stop_and_send
    runpy.run_module("hub", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
