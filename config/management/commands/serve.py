"""Run the whole product in one terminal: web server, background worker and timekeeper."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, suppress
from functools import partial
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import get_commands
from django.core.management.base import BaseCommand, CommandError, CommandParser

ON_LINUX = sys.platform == "linux"
SECONDS_TO_START, SECONDS_TO_STOP = 60, 15
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# A loop whose command no installed app supplies is left out.
LOOPS = {
    "background worker": ("db_worker", "--queue-name=*", "--no-reload"),
    "timekeeper": ("keep_time",),
}


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        refuse_taken_port(host, port)
        for number in STOP_SIGNALS:
            signal.signal(number, signal.default_int_handler)
        web = f"--host={host} --port={port} --workers={options['workers']} --blocking-threads=4"
        web += " --interface=wsgi --workers-kill-timeout=10 --log-level=warning"
        children: dict[str, subprocess.Popen[bytes]] = {}
        try:
            children["web server"] = start("granian", *web.split(), "config.wsgi:application")
            for name, loop in LOOPS.items():
                if loop[0] in get_commands():
                    children[name] = start("django", *loop)
            self.watch(children, "127.0.0.1" if host == "0.0.0.0" else host, port)  # noqa: S104
        except KeyboardInterrupt:
            pass
        finally:
            stop_all(list(children.values()))

    def watch(self, children: dict[str, subprocess.Popen[bytes]], host: str, port: int) -> None:
        ready, deadline = False, time.monotonic() + SECONDS_TO_START
        while True:
            for name, child in children.items():
                if (status := child.poll()) is not None:
                    raise CommandError(f"The {name} ended by itself (status {status}).")
            if not ready and (ready := is_ready(host, port)):
                self.stdout.write(f"Ready on http://{host}:{port}")
                self.stdout.flush()
            if not ready and time.monotonic() > deadline:
                raise CommandError(f"No answer from /health/ready in {SECONDS_TO_START} seconds.")
            time.sleep(0.2)


def start(*module: str) -> subprocess.Popen[bytes]:
    """Start a Python module in a process group of its own, so that stopping reaches all of it."""
    command, libc, parent_death_signal = [sys.executable, "-m", *module], ctypes.CDLL(None), 1
    # Killed outright, this process can stop nobody: where it is Linux, the kernel does.
    will = partial(libc.prctl, parent_death_signal, signal.SIGTERM) if ON_LINUX else None
    return subprocess.Popen(command, cwd=settings.BASE_DIR, process_group=0, preexec_fn=will)  # noqa: S603


def stop_all(children: list[subprocess.Popen[bytes]]) -> None:
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    for child in children:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)
    deadline = time.monotonic() + SECONDS_TO_STOP
    for child in children:
        with suppress(subprocess.TimeoutExpired):
            child.wait(max(0.0, deadline - time.monotonic()))
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)


def refuse_taken_port(host: str, port: int) -> None:
    """Look before starting: the server would share the port with whoever has it already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as refusal:
            raise CommandError(f"Port {port} of {host} is not free: {refusal.strerror}.") from None


def is_ready(host: str, port: int) -> bool:
    # The public name is one that ALLOWED_HOSTS lets through; 127.0.0.1 need not be.
    headers = {"Host": urlsplit(settings.PUBLIC_URL).netloc}
    connection = HTTPConnection(host, port, timeout=5)
    with closing(connection), suppress(OSError, HTTPException):
        connection.request("GET", "/health/ready", headers=headers)
        return connection.getresponse().status == 200
    return False
