#!/usr/bin/env python3
"""Produces work items and collects their results."""

import argparse

import zmq

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
)
parser.add_argument(
    "--endpoint", default="tcp://127.0.0.1:5557", help="where workers fetch items"
)
parser.add_argument(
    "--results", default="tcp://127.0.0.1:5558", help="where workers bring results"
)
parser.add_argument(
    "--workers", type=int, default=3, help="how many workers to wait for"
)
parser.add_argument("--count", type=int, default=30, help="how many items")
parser.add_argument(
    "--work", type=int, default=200, help="milliseconds of work for each item"
)


def main(flags: argparse.Namespace) -> None:
    with (
        zmq.Context() as context,
        context.socket(zmq.PUSH) as items,
        context.socket(zmq.PULL) as results,
    ):
        items.linger = 0
        items.bind(flags.endpoint)
        results.bind(flags.results)
        print(f"Producing on {items.last_endpoint.decode()}")
        print(f"Collecting on {results.last_endpoint.decode()}")
        print(f"Waiting for {flags.workers} workers, Ctrl-C stops.")

        workers = set()
        sent = done = 0
        while done < flags.count:
            # Items go to the workers in turn. Two at a time for each keep them
            # busy, and leave something for a worker that comes later or is
            # quicker than the others.
            ready = len(workers) >= flags.workers
            while ready and sent < flags.count and sent - done < 2 * len(workers):
                sent += 1
                items.send_json(
                    {"id": sent, "number": sent, "milliseconds": flags.work}
                )

            result = results.recv_json()
            if "id" not in result:
                workers.add(result["worker"])
                print(f"Ready: {result['worker']}")
            else:
                done += 1
                print(f"Item {result['id']} from {result['worker']}: {result['square']}")
        print(f"Done: {done} items.")


try:
    main(parser.parse_args())
except KeyboardInterrupt:
    print("Stopping.")
except zmq.ZMQError as error:
    raise SystemExit(str(error))
