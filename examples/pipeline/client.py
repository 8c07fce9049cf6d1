#!/usr/bin/env python3
"""A worker: fetches items and brings back results."""

import argparse
import os
import time

import zmq

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
)
parser.add_argument(
    "--endpoint", default="tcp://127.0.0.1:5557", help="where to fetch items"
)
parser.add_argument(
    "--results", default="tcp://127.0.0.1:5558", help="where to bring results"
)
parser.add_argument(
    "--name", default=f"worker-{os.getpid()}", help="the name of this worker"
)


def main(flags: argparse.Namespace) -> None:
    with (
        zmq.Context() as context,
        context.socket(zmq.PULL) as items,
        context.socket(zmq.PUSH) as results,
    ):
        results.linger = 0
        items.connect(flags.endpoint)
        results.connect(flags.results)
        results.send_json({"worker": flags.name})
        print(f"Waiting for work as {flags.name}, Ctrl-C stops.")

        while True:
            item = items.recv_json()
            print(f"Working on item {item['id']}")
            time.sleep(item["milliseconds"] / 1000)
            square = item["number"] ** 2
            results.send_json(
                {"worker": flags.name, "id": item["id"], "square": square}
            )


try:
    main(parser.parse_args())
except KeyboardInterrupt:
    print("Stopping.")
except zmq.ZMQError as error:
    raise SystemExit(str(error))
