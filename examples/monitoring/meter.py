"""Counts what passes a socket, and follows its connections."""

import time

import zmq
from zmq.utils.monitor import recv_monitor_message

NAMES = {
    zmq.EVENT_ACCEPTED: "accept",
    zmq.EVENT_ACCEPT_FAILED: "accept:error",
    zmq.EVENT_BIND_FAILED: "bind:error",
    zmq.EVENT_CLOSED: "close",
    zmq.EVENT_CLOSE_FAILED: "close:error",
    zmq.EVENT_CONNECTED: "connect",
    zmq.EVENT_CONNECT_DELAYED: "connect:delay",
    zmq.EVENT_CONNECT_RETRIED: "connect:retry",
    zmq.EVENT_DISCONNECTED: "disconnect",
    zmq.EVENT_HANDSHAKE_FAILED_AUTH: "handshake:error:auth",
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL: "handshake:error:other",
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: "handshake:error:protocol",
    zmq.EVENT_HANDSHAKE_SUCCEEDED: "handshake",
    zmq.EVENT_LISTENING: "bind",
    zmq.EVENT_MONITOR_STOPPED: "end",
}


class Meter:
    """Works for any socket: whoever sends or receives counts."""

    def __init__(self) -> None:
        self.received = self.sent = self.connections = 0
        self.started = time.monotonic()
        self.last = (0, 0, 0)

    @property
    def uptime(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    def event(self, monitor: zmq.Socket) -> None:
        """Prints the next event of a socket's monitor."""
        event = recv_monitor_message(monitor)
        kind = event["event"]
        # Every connection that was made or accepted ends with "disconnect".
        if kind in (zmq.EVENT_ACCEPTED, zmq.EVENT_CONNECTED):
            self.connections += 1
        if kind == zmq.EVENT_DISCONNECTED:
            self.connections -= 1
        address = event["endpoint"].decode()
        more = f" in {event['value']} ms" if kind == zmq.EVENT_CONNECT_RETRIED else ""
        _print(self.uptime, f"event {NAMES[kind]} {address}{more}")

    def report(self) -> None:
        """Prints the counts, and the rates since the last report."""
        uptime = self.uptime
        self._count(uptime, *self.last)
        self.last = (uptime, self.received, self.sent)

    def total(self) -> None:
        """Prints the counts, and the rates since the start."""
        self._count(self.uptime, 0, 0, 0)

    def _count(self, uptime: float, since: float, received: int, sent: int) -> None:
        seconds = uptime - since
        _print(
            uptime,
            f"received {self.received} ({(self.received - received) / seconds:.1f}/s), "
            f"sent {self.sent} ({(self.sent - sent) / seconds:.1f}/s), "
            f"connections {self.connections}",
        )


def _print(uptime: float, text: str) -> None:
    print(f"up {uptime:.1f} s: {text}")
