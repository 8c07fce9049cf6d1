#!/usr/bin/env python3
"""Prints what is published on some topics."""

import argparse

import zmq

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
)
parser.add_argument(
    "--endpoint", default="tcp://127.0.0.1:5556", help="where the publisher listens"
)
parser.add_argument(
    "--topics", default="sports,weather", help="topics to subscribe to"
)
parser.add_argument(
    "--count",
    type=int,
    default=0,
    help="how many messages to wait for, 0 for no end",
)


def main(flags: argparse.Namespace) -> None:
    with zmq.Context() as context, context.socket(zmq.SUB) as socket:
        for topic in flags.topics.split(","):
            socket.subscribe(topic)
        socket.connect(flags.endpoint)
        print(f"Subscribed to {flags.topics}, Ctrl-C stops.")

        messages = 0
        while messages == 0 or messages != flags.count:
            topic, text = socket.recv_multipart()
            print(f"{topic.decode()} {text.decode()}")
            messages += 1
        print(f"Done: {messages} messages.")


try:
    main(parser.parse_args())
except KeyboardInterrupt:
    print("Stopping.")
except zmq.ZMQError as error:
    raise SystemExit(str(error))
