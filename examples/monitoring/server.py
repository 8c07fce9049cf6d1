#!/usr/bin/env python3
"""Sends everything back, and reports how it is doing."""

import argparse
import time

import zmq

from meter import Meter

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
)
parser.add_argument("--endpoint", default="tcp://127.0.0.1:5561", help="where to listen")
parser.add_argument(
    "--interval", type=int, default=1000, help="milliseconds between two reports"
)


def main(flags: argparse.Namespace) -> None:
    meter = Meter()
    with zmq.Context() as context, context.socket(zmq.ROUTER) as socket:
        socket.linger = 0
        monitor = socket.get_monitor_socket()
        try:
            socket.bind(flags.endpoint)
            print(f"Listening on {socket.last_endpoint.decode()}, Ctrl-C stops.")

            poller = zmq.Poller()
            poller.register(socket, zmq.POLLIN)
            poller.register(monitor, zmq.POLLIN)
            report = time.monotonic() + flags.interval / 1000
            while True:
                wait = max(0, report - time.monotonic())
                for ready, _ in poller.poll(wait * 1000):
                    if ready is monitor:
                        meter.event(monitor)
                    else:
                        message = socket.recv_multipart()
                        meter.received += 1
                        socket.send_multipart(message)
                        meter.sent += 1
                if time.monotonic() >= report:
                    meter.report()
                    report += flags.interval / 1000
        finally:
            socket.disable_monitor()
            monitor.close()
            meter.total()


try:
    main(parser.parse_args())
except KeyboardInterrupt:
    print("Stopping.")
except zmq.ZMQError as error:
    raise SystemExit(str(error))
