#!/usr/bin/env python3
"""Spreads the tasks of many clients over workers."""

import argparse
import threading
import time

import zmq

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
)
parser.add_argument(
    "--endpoint", default="tcp://127.0.0.1:5559", help="where to listen for clients"
)
parser.add_argument("--workers", type=int, default=3, help="how many workers")
parser.add_argument(
    "--work", type=int, default=1000, help="milliseconds of work for each task"
)


def work(context: zmq.Context, name: str, seconds: float) -> None:
    with context.socket(zmq.DEALER) as socket:
        socket.linger = 0
        socket.connect("inproc://workers")
        try:
            while True:
                # The router has put the client's name in front, and takes the
                # answer to where the same name is in front. A REQ adds an empty
                # frame: it is kept too.
                client, *frames = socket.recv_multipart()
                task = frames.pop()
                # With its end of line in one piece: other threads print too.
                print(f"{name}: {task.decode()} of {client.decode()}\n", end="")
                time.sleep(seconds)
                answer = task + b" done by " + name.encode()
                socket.send_multipart([client, *frames, answer])
        except zmq.ContextTerminated:
            pass


def main(flags: argparse.Namespace) -> None:
    context = zmq.Context()
    with context.socket(zmq.ROUTER) as front, context.socket(zmq.DEALER) as back:
        front.linger = back.linger = 0
        front.bind(flags.endpoint)
        back.bind("inproc://workers")
        for number in range(1, flags.workers + 1):
            name = f"worker {number}"
            # Daemons: a worker in the middle of its work does not delay the end.
            threading.Thread(
                target=work, args=(context, name, flags.work / 1000), daemon=True
            ).start()
        print(f"Listening on {front.last_endpoint.decode()}, Ctrl-C stops.")
        zmq.proxy(front, back)


try:
    main(parser.parse_args())
except KeyboardInterrupt:
    print("Stopping.")
except zmq.ZMQError as error:
    raise SystemExit(str(error))
