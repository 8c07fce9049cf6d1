#!/usr/bin/env python3
"""Answers known clients only, in secret."""

import argparse

import zmq
from zmq.utils import z85

import keys

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
)
parser.add_argument("--endpoint", default="tcp://127.0.0.1:5560", help="where to listen")

KNOWN = {public: name for name, (public, _) in keys.CLIENTS.items()}


def guard(doorkeeper: zmq.Socket) -> None:
    """Answers a question of libzmq's about a client (RFC 27/ZAP)."""
    version, request, _, address, _, mechanism, *credentials = (
        doorkeeper.recv_multipart()
    )
    key = z85.encode(credentials[0]) if mechanism == b"CURVE" else b"no key"
    if key in KNOWN:
        name = KNOWN[key]
        print(f"Admitted: {name} from {address.decode()}")
        doorkeeper.send_multipart([version, request, b"200", b"OK", name.encode(), b""])
    else:
        print(f"Refused: {key.decode()} from {address.decode()}")
        doorkeeper.send_multipart([version, request, b"400", b"Unknown key", b"", b""])


def answer(socket: zmq.Socket) -> None:
    request = socket.recv_string()
    print(f"Received: {request}")
    socket.send_string(f"{request} to you")


def main(flags: argparse.Namespace) -> None:
    with (
        zmq.Context() as context,
        context.socket(zmq.REP) as doorkeeper,
        context.socket(zmq.REP) as socket,
    ):
        # Before the server: where nobody answers, libzmq admits everybody.
        doorkeeper.bind("inproc://zeromq.zap.01")
        socket.linger = 0
        socket.curve_server = True
        socket.curve_secretkey = keys.SERVER[1]
        socket.zap_domain = b"example"
        socket.bind(flags.endpoint)
        print(f"Listening on {socket.last_endpoint.decode()}, Ctrl-C stops.")

        poller = zmq.Poller()
        poller.register(doorkeeper, zmq.POLLIN)
        poller.register(socket, zmq.POLLIN)
        while True:
            for ready, _ in poller.poll():
                guard(ready) if ready is doorkeeper else answer(ready)


try:
    main(parser.parse_args())
except KeyboardInterrupt:
    print("Stopping.")
except zmq.ZMQError as error:
    raise SystemExit(str(error))
