#!/usr/bin/env python3
"""Answers requests, one after the other."""

import argparse
import time

import zmq

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
)
parser.add_argument("--endpoint", default="tcp://127.0.0.1:5555", help="where to listen")
parser.add_argument(
    "--work", type=int, default=1000, help="milliseconds of work for each request"
)


def main(flags: argparse.Namespace) -> None:
    with zmq.Context() as context, context.socket(zmq.REP) as socket:
        socket.linger = 0
        socket.bind(flags.endpoint)
        print(f"Listening on {socket.last_endpoint.decode()}, Ctrl-C stops.")

        while True:
            request = socket.recv_string()
            print(f"Received: {request}")
            time.sleep(flags.work / 1000)
            socket.send_string(request.replace("Hello", "World"))


try:
    main(parser.parse_args())
except KeyboardInterrupt:
    print("Stopping.")
except zmq.ZMQError as error:
    raise SystemExit(str(error))
