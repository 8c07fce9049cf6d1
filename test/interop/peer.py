"""A ZeroMQ peer on native libzmq, driven by JSON lines: one command a line on
standard input, one answer a line on standard output. Ends with its input."""

import base64
import hashlib
import json
import os
import socket as socketlib
import sys

import zmq
import zmq.auth.thread
from zmq.utils.monitor import recv_monitor_message

PATIENCE_MS = 15000

context = zmq.Context()
sockets = {}
monitors = {}
last = {}  # the last message each socket received
authenticator = None
deaf_listeners = {}


def text(value):
    return value.decode("latin1") if isinstance(value, bytes) else value


def socket(type, options):
    s = context.socket(getattr(zmq, type))
    s.linger = 0
    s.rcvtimeo = s.sndtimeo = PATIENCE_MS
    id = str(s.underlying)
    sockets[id] = s
    for name, value in options.items():
        set(id, name, value)
    return id


def set(id, name, value):
    if isinstance(value, str):
        value = value.encode("latin1")
    sockets[id].setsockopt(getattr(zmq, name), value)


def get(id, name):
    return text(sockets[id].getsockopt(getattr(zmq, name)))


def bind(id, endpoint):
    sockets[id].bind(endpoint)
    return text(sockets[id].last_endpoint).rstrip("\0")


def connect(id, endpoint):
    sockets[id].connect(endpoint)


def disconnect(id, endpoint):
    sockets[id].disconnect(endpoint)


def unbind(id, endpoint):
    sockets[id].unbind(endpoint)


def send(id, messages):
    """Messages are lists of base64 frames; without any, the last one received goes back."""
    if messages is None:
        sockets[id].send_multipart(last[id], copy=False)
        return
    for frames in messages:
        sockets[id].send_multipart([base64.b64decode(f) for f in frames])


def receive(id, count, digest, timeout):
    """Frames as base64, or as [size, sha256]."""
    if digest:
        show = lambda f: [len(f), hashlib.sha256(f).hexdigest()]
    else:
        show = lambda f: base64.b64encode(f).decode()
    messages = []
    for _ in range(count):
        if not sockets[id].poll(timeout):
            raise TimeoutError("%d of %d messages" % (len(messages), count))
        last[id] = [f.buffer for f in sockets[id].recv_multipart(copy=False)]
        messages.append([show(f) for f in last[id]])
    return messages


def count(id, count):
    """Receives so many messages and only counts them."""
    for received in range(count):
        if not sockets[id].poll(PATIENCE_MS):
            return received
        sockets[id].recv_multipart()
    return count


def flood(id, size, limit, quiet):
    """Sends until it would block for `quiet` ms, at most `limit`: how many went."""
    body = bytes(size)
    for sent in range(limit):
        if not sockets[id].poll(quiet, zmq.POLLOUT):
            return sent
        sockets[id].send(body, zmq.DONTWAIT)
    return limit


def shower(id, sizes):
    """Sends random frames of these sizes, a list for each message: their sha256."""
    messages = [[os.urandom(size) for size in frames] for frames in sizes]
    for frames in messages:
        sockets[id].send_multipart(frames)
    return [[hashlib.sha256(f).hexdigest() for f in frames] for frames in messages]


def event(id, name):
    """Waits for an event of the socket's monitor and says its value.
    The first call for a socket must come before what it waits for: name "" only starts."""
    if id not in monitors:
        monitors[id] = sockets[id].get_monitor_socket()
    while name:
        if not monitors[id].poll(PATIENCE_MS):
            raise TimeoutError("no event " + name)
        found = recv_monitor_message(monitors[id])
        if found["event"] == getattr(zmq, "EVENT_" + name):
            return found["value"]


def close(id, linger):
    if id in monitors:
        sockets[id].disable_monitor()
        del monitors[id]
    last.pop(id, None)
    sockets.pop(id).close(linger)


def curve_keypair():
    public, secret = zmq.curve_keypair()
    return {"publicKey": text(public), "secretKey": text(secret)}


def authenticate(passwords, keys):
    """Decides about clients from now on: by user and password, by public CURVE key."""
    global authenticator
    if not authenticator:
        authenticator = zmq.auth.thread.ThreadAuthenticator(context)
        authenticator.start()
    # Directly, because what goes to the thread is in force some time later.
    inner = authenticator.thread.authenticator
    inner.configure_plain("*", passwords)
    inner.configure_curve_callback("*", Keys(keys))


def deaf():
    """A TCP listener that accepts nobody and whose queue is full."""
    listener = socketlib.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    fillers = []
    while True:
        filler = socketlib.socket()
        filler.settimeout(0.2)
        fillers.append(filler)
        try:
            filler.connect(listener.getsockname())
        except TimeoutError:
            break
    id = str(listener.fileno())
    deaf_listeners[id] = [listener] + fillers
    return {"id": id, "port": listener.getsockname()[1]}


def undeaf(id):
    for s in deaf_listeners.pop(id):
        s.close()


class Keys:
    def __init__(self, keys):
        self.keys = keys

    def callback(self, domain, key):
        return text(key) in self.keys


COMMANDS = {
    f.__name__: f
    for f in (
        socket, set, get, bind, connect, disconnect, unbind, send, receive,
        count, flood, shower, event, close, curve_keypair, authenticate,
        deaf, undeaf,
    )
}

for line in sys.stdin:
    command = json.loads(line)
    try:
        answer = {"ok": COMMANDS[command["name"]](**command["args"])}
    except Exception as error:
        answer = {"error": "%s: %s" % (type(error).__name__, error)}
    print(json.dumps(answer), flush=True)

# Terminating the context would wait for what cannot be sent any more.
os._exit(0)
