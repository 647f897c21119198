#!/usr/bin/env python3
"""relay.py NEAR SERVER DELAY STALLS

A server that is far away: what comes to the socket NEAR is handed on to the socket SERVER after DELAY seconds, and back as late,
however much is under way at once; from the connection number STALLS on (from 0) nothing is. Prints "ready" when it listens.
"""
import queue
import socket
import sys
import threading
import time

near, server, delay, stalls = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])


def take(source, way):
    """What comes, with the moment at which it is to arrive; nothing at the end."""
    data = b"-"
    while data:
        try:
            data = source.recv(65536)
        except OSError:
            data = b""
        way.put((time.monotonic() + delay, data))


def give(way, sink, stalled):
    while True:
        due, data = way.get()
        time.sleep(max(0, due - time.monotonic()))
        try:
            if not data:
                sink.shutdown(socket.SHUT_WR)
                return
            if not stalled:
                sink.sendall(data)
        except OSError:
            return


listener = socket.socket(socket.AF_UNIX)
listener.bind(near)
listener.listen(20)
print("ready", flush=True)
for number in range(1000):
    one, other = listener.accept()[0], socket.socket(socket.AF_UNIX)
    other.connect(server)
    for source, sink in ((one, other), (other, one)):
        way = queue.Queue()
        threading.Thread(target=take, args=(source, way), daemon=True).start()
        threading.Thread(target=give, args=(way, sink, number >= stalls), daemon=True).start()
