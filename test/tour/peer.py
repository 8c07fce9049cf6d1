"""One end of the tour with pyzmq, that is, with a native libzmq: takes commands as
JSON lines on stdin, and answers each with a JSON line. See peer.mjs."""

import json
import statistics
import sys
import time

import zmq

SIZE = 16
context = zmq.Context()
socket = None


def numbered(i):
    return i.to_bytes(4, "little") + b"." * (SIZE - 4)


def open_(type, endpoint, bind, curve=None):
    global socket
    socket = context.socket(getattr(zmq, type))
    socket.linger = 0
    socket.rcvhwm = socket.sndhwm = 0
    socket.rcvtimeo = socket.sndtimeo = 10000
    if curve:
        socket.curve_server = curve["server"]
        socket.curve_secretkey = curve["secretKey"].encode()
        socket.curve_publickey = curve["publicKey"].encode()
        if not curve["server"]:
            socket.curve_serverkey = curve["serverKey"].encode()
    if bind:
        socket.bind(endpoint)
    else:
        socket.connect(endpoint)
    if type == "SUB":
        socket.subscribe(b"")
    if type == "XSUB":
        socket.send(b"\x01")
    return {"endpoint": socket.getsockopt_string(zmq.LAST_ENDPOINT)}


def hello():
    socket.send(b"hello")


def heard():
    while socket.recv_multipart()[0] != b"hello":
        pass


def send(count):
    for i in range(count):
        socket.send(numbered(i))


def receive(count):
    started = None
    i = 0
    while i < count:
        body = socket.recv_multipart()[-1]
        if body == b"hello" or body == b"\x01":
            continue
        started = started or time.perf_counter()
        if len(body) != SIZE or int.from_bytes(body[:4], "little") != i:
            raise ValueError(f"message {i} is wrong: {body.hex()}")
        i += 1
    return {"seconds": time.perf_counter() - started}


def echo(count):
    for _ in range(count):
        socket.send_multipart(socket.recv_multipart())


def ping(count):
    times = []
    started = time.perf_counter()
    for i in range(count):
        before = time.perf_counter()
        socket.send(numbered(i))
        body = socket.recv()
        if int.from_bytes(body[:4], "little") != i:
            raise ValueError(f"answer {i} is wrong")
        times.append(time.perf_counter() - before)
    return {
        "seconds": time.perf_counter() - started,
        "median": statistics.median(times),
    }


def close():
    socket.close()


COMMANDS = {
    "open": open_,
    "hello": hello,
    "heard": heard,
    "send": send,
    "receive": receive,
    "echo": echo,
    "ping": ping,
    "close": close,
}

for line in sys.stdin:
    command = json.loads(line)
    try:
        answer = COMMANDS[command.pop("do")](**command) or {}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
