#!/usr/bin/env python3
"""Sends numbered requests and prints the answers."""

import argparse

import zmq

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
)
parser.add_argument(
    "--endpoint", default="tcp://127.0.0.1:5555", help="where the server listens"
)
parser.add_argument("--count", type=int, default=10, help="how many requests")


def main(flags: argparse.Namespace) -> None:
    with zmq.Context() as context, context.socket(zmq.REQ) as socket:
        socket.linger = 0
        socket.connect(flags.endpoint)

        for number in range(1, flags.count + 1):
            print(f"Sending: Hello {number}")
            socket.send_string(f"Hello {number}")
            print(f"Received: {socket.recv_string()}")
        print(f"Done: {flags.count} answers.")


try:
    main(parser.parse_args())
except KeyboardInterrupt:
    print("Stopping.")
except zmq.ZMQError as error:
    raise SystemExit(str(error))
