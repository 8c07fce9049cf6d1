#!/usr/bin/env python3
"""Publishes news of sports, weather and the world."""

import argparse
import itertools
import time

import zmq

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
)
parser.add_argument("--endpoint", default="tcp://127.0.0.1:5556", help="where to listen")
parser.add_argument(
    "--interval",
    type=int,
    default=1000,
    help="milliseconds between two rounds of messages",
)
parser.add_argument(
    "--count", type=int, default=0, help="how many rounds, 0 for no end"
)


def main(flags: argparse.Namespace) -> None:
    with zmq.Context() as context, context.socket(zmq.PUB) as socket:
        # At the end: at most a second for what is still queued.
        socket.linger = 1000
        socket.bind(flags.endpoint)
        print(f"Publishing on {socket.last_endpoint.decode()}, Ctrl-C stops.")

        rounds = range(1, flags.count + 1) if flags.count else itertools.count(1)
        for number in rounds:
            # The first frame is what subscribers choose by: the topic.
            socket.send_multipart([b"sports", b"%d: %d goals" % (number, number % 4)])
            socket.send_multipart(
                [b"weather", b"%d: %d degrees" % (number, 10 + number % 20)]
            )
            socket.send_multipart([b"news", b"%d: nothing happened" % number])
            print(f"Published round {number}.")
            time.sleep(flags.interval / 1000)


try:
    main(parser.parse_args())
except KeyboardInterrupt:
    print("Stopping.")
except zmq.ZMQError as error:
    raise SystemExit(str(error))
