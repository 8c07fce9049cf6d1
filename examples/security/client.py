#!/usr/bin/env python3
"""Talks in secret to a server that it can trust."""

import argparse
import sys

import zmq
from zmq.utils.monitor import recv_monitor_message

import keys

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
)
parser.add_argument(
    "--endpoint", default="tcp://127.0.0.1:5560", help="where the server listens"
)
parser.add_argument(
    "--name",
    default="alice",
    help="who to be: alice, bob, or somebody with a key of their own",
)
parser.add_argument("--count", type=int, default=3, help="how many requests")


class Refused(Exception):
    pass


def wait_for(socket: zmq.Socket, refusals: zmq.Socket) -> None:
    """Waits for an answer; the server may also refuse, and says so with a status."""
    poller = zmq.Poller()
    poller.register(socket, zmq.POLLIN)
    poller.register(refusals, zmq.POLLIN)
    if refusals in dict(poller.poll()):
        status = recv_monitor_message(refusals)["value"]
        raise Refused(f"Authentication failure ({status})")


def main(flags: argparse.Namespace) -> None:
    # Nobody else has the secret key that belongs to the server's public key, and
    # nobody but the server and this client can read what they say.
    public, secret = keys.CLIENTS.get(flags.name) or zmq.curve_keypair()
    with zmq.Context() as context, context.socket(zmq.REQ) as socket:
        socket.linger = 0
        socket.curve_serverkey = keys.SERVER[0]
        socket.curve_publickey = public
        socket.curve_secretkey = secret
        with socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_FAILED_AUTH) as refusals:
            socket.connect(flags.endpoint)
            for number in range(1, flags.count + 1):
                socket.send_string(f"Good day {number}")
                wait_for(socket, refusals)
                print(f"Received: {socket.recv_string()}")
        print(f"Done: {flags.count} answers.")


flags = parser.parse_args()
try:
    main(flags)
except KeyboardInterrupt:
    print("Stopping.")
except Refused as refusal:
    print(f"The server refuses {flags.name}: {refusal}")
    sys.exit(1)
except zmq.ZMQError as error:
    raise SystemExit(str(error))
