"""Two Ethernet cards with a bad cable between them, for a kernel without netem.

network.py NAME NAME makes two TAP interfaces and relays between them for as long as
stdin is open. A line there says what the cable does from now on: "LOSS DELAY LOSS DELAY",
a share and seconds, from the first card to the second and back; it is answered with "ok".
"""
import fcntl
import heapq
import os
import random
import select
import struct
import sys
import time

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000


def tap(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return fd


cards = [tap(name) for name in sys.argv[1:3]]
cable = [(0.0, 0.0), (0.0, 0.0)]
chance = random.Random(5)
waiting = []
serial = 0
typed = b""
print("ok", flush=True)
while True:
    now = time.monotonic()
    while waiting and waiting[0][0] <= now:
        _, _, card, frame = heapq.heappop(waiting)
        try:
            os.write(card, frame)
        except OSError:
            pass  # The card is down.
    left = waiting[0][0] - now if waiting else None
    for ready in select.select([0, *cards], [], [], left)[0]:
        if ready == 0:
            part = os.read(0, 4096)
            if not part:
                sys.exit()
            typed += part
            while b"\n" in typed:
                line, typed = typed.split(b"\n", 1)
                a, b, c, d = (float(word) for word in line.split())
                cable = [(a, b), (c, d)]
                print("ok", flush=True)
            continue
        try:
            frame = os.read(ready, 65536)
        except OSError:
            continue
        side = cards.index(ready)
        loss, delay = cable[side]
        if chance.random() >= loss:
            serial += 1
            heapq.heappush(
                waiting, (time.monotonic() + delay, serial, cards[1 - side], frame))
