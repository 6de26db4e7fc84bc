"""Starts the command many times in little time: each run is a process of its own, forked off one that has imported it.

Starting Python and importing the hub takes most of a second of work, more than what most commands then do.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

PATIENCE_S = 60
PRELOADED = ("hub", "hub_katana", "hub_tiktok")
LEFT_OUT = ("hub.__main__", "hub.testing", "hub.store.migrations", "hub.cli.demo")
SIZE_BYTES = 8


class Run:
    """One command that runs; its streams are the caller's."""

    def __init__(self, news: BinaryIO) -> None:
        self._news = news  # its process id, later its exit code
        self.pid = int(news.readline())
        self.returncode: int | None = None

    def wait(self, timeout: float = PATIENCE_S) -> int:
        """Wait for its end and return its exit code, as subprocess has it."""
        if self.returncode is None:
            if not select.select([self._news], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("hub", timeout)
            self.returncode = int(self._news.readline())
            self._news.close()
        return self.returncode

    def poll(self) -> int | None:
        """Return its exit code, None while it runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> None:
        """End it at once."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


class Starter:
    """The process that has imported the hub."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            descriptor = theirs.fileno()
            self._process = subprocess.Popen([sys.executable, __file__, str(descriptor)], pass_fds=[descriptor])

    def start(self, arguments: tuple[str, ...], folder: Path, environ: Mapping[str, str], *streams: int) -> Run:
        """Start the command in a folder; ``streams``: the descriptors of its stdin, stdout and stderr."""
        wish = json.dumps([arguments, str(folder), dict(environ)]).encode()
        ours, theirs = os.pipe()
        try:
            socket.send_fds(self._socket, [len(wish).to_bytes(SIZE_BYTES)], [*streams, theirs])
        finally:
            os.close(theirs)
        self._socket.sendall(wish)
        return Run(os.fdopen(ours, "rb", buffering=0))

    def close(self) -> None:
        """End it."""
        self._socket.close()
        self._process.wait(PATIENCE_S)


def serve(control: socket.socket) -> None:
    """Fork for each wish until nobody wishes any more; only a command returns from here, to run and to end."""
    while True:
        head, descriptors, _, _ = socket.recv_fds(control, SIZE_BYTES, 4)
        if not head:
            os._exit(0)
        with control.makefile("rb", buffering=0) as stream:
            wish = read(stream, int.from_bytes(head))
        if os.fork() == 0:
            control.close()
            return keep(descriptors, wish)
        for descriptor in descriptors:
            os.close(descriptor)
        while reaped():
            pass


def read(stream: BinaryIO, size: int) -> bytes:
    """Read that many bytes."""
    got = b""
    while len(got) < size:
        got += stream.read(size - len(got))
    return got


def reaped() -> bool:
    """Forget a keeper that ended; false where none did."""
    try:
        return os.waitpid(-1, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return False


def keep(descriptors: list[int], wish: bytes) -> None:
    """Fork the command itself, and tell its process id and its exit code; only the command returns."""
    *streams, news = descriptors
    pid = os.fork()
    if pid == 0:
        os.close(news)
        return prepare(streams, wish)
    for descriptor in (*streams, 0, 1, 2):
        os.close(descriptor)
    os.write(news, b"%d\n" % pid)
    os.write(news, b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    os._exit(0)


def prepare(streams: list[int], wish: bytes) -> None:
    """Become a process as the wish says."""
    arguments, folder, environ = json.loads(wish)
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    time.tzset()
    sys.argv[1:] = arguments


def preload() -> None:
    """Import all that a command may need."""
    for name in PRELOADED:
        package = importlib.import_module(name)
        for found in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not found.name.startswith(LEFT_OUT):
                importlib.import_module(found.name)


if __name__ == "__main__":
    preload()
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])))
    runpy.run_module("hub", run_name="__main__", alter_sys=True)
