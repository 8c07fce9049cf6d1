#!/usr/bin/env python3
"""Sends messages, and reports what comes back."""

import argparse
import time

import zmq

from meter import Meter

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
)
parser.add_argument(
    "--endpoint", default="tcp://127.0.0.1:5561", help="where the server listens"
)
parser.add_argument(
    "--interval", type=int, default=1000, help="milliseconds between two reports"
)
parser.add_argument(
    "--pace", type=int, default=100, help="milliseconds between two messages"
)
parser.add_argument(
    "--count", type=int, default=0, help="how many answers to wait for, 0 for no end"
)


def main(flags: argparse.Namespace) -> None:
    meter = Meter()
    with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.linger = 0
        monitor = socket.get_monitor_socket()
        try:
            socket.connect(flags.endpoint)
            print(f"Talking to {flags.endpoint}, Ctrl-C stops.")

            poller = zmq.Poller()
            poller.register(socket, zmq.POLLIN)
            poller.register(monitor, zmq.POLLIN)
            send = time.monotonic()
            report = send + flags.interval / 1000
            while meter.received == 0 or meter.received != flags.count:
                if time.monotonic() >= send:
                    if meter.sent < flags.count or flags.count == 0:
                        socket.send_string(f"message {meter.sent + 1}")
                        meter.sent += 1
                    send += flags.pace / 1000
                if time.monotonic() >= report:
                    meter.report()
                    report += flags.interval / 1000
                wait = max(0, min(send, report) - time.monotonic())
                for ready, _ in poller.poll(wait * 1000):
                    if ready is monitor:
                        meter.event(monitor)
                    else:
                        socket.recv()
                        meter.received += 1
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
