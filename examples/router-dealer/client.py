#!/usr/bin/env python3
"""Hands in tasks all at once and waits for the answers."""

import argparse
import os

import zmq

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
)
parser.add_argument(
    "--endpoint", default="tcp://127.0.0.1:5559", help="where the server listens"
)
parser.add_argument(
    "--name",
    default=f"client-{os.getpid()}",
    help="the name of this client, unlike any other",
)
parser.add_argument("--count", type=int, default=6, help="how many tasks")


def main(flags: argparse.Namespace) -> None:
    with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.linger = 0
        socket.routing_id = flags.name.encode()
        socket.connect(flags.endpoint)

        for number in range(1, flags.count + 1):
            socket.send_string(f"task {number}")
        print(f"{flags.name}: handed in {flags.count} tasks, Ctrl-C stops.")

        for _ in range(flags.count):
            print(f"{flags.name}: {socket.recv_string()}")
        print(f"Done: {flags.count} answers.")


try:
    main(parser.parse_args())
except KeyboardInterrupt:
    print("Stopping.")
except zmq.ZMQError as error:
    raise SystemExit(str(error))
