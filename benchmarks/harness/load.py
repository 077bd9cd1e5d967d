"""A load generator: keep-alive connections, each with one request under way.

One process, one epoll and plain sockets, since the machine's cores are shared with the servers
that are measured: about 10 us of this process a request.
"""

from __future__ import annotations

import gc
import select
import socket
import statistics
import time
from array import array
from dataclasses import dataclass, field


class BadAnswer(Exception):
    """The server closed a connection or answered something other than what is measured."""


@dataclass(frozen=True)
class Load:
    """What one run gave: answers counted, seconds it took, seconds of each answer."""

    answers: int
    seconds: float
    latencies: array[float] = field(repr=False)

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.answers / self.seconds

    def latency_ms(self, share: float) -> float:
        """The latency in milliseconds that ``share`` (0.5, 0.99) of the answers stay under."""
        return statistics.quantiles(self.latencies, n=1000)[round(share * 1000) - 1] * 1000


def request_bytes(port: int, path: str = "/") -> bytes:
    """A GET as curl sends it."""
    lines = [f"GET {path} HTTP/1.1", f"Host: localhost:{port}", "User-Agent: curl/8.0", "Accept: */*"]
    return "\r\n".join([*lines, "", ""]).encode()


def is_whole(answer: bytes) -> bool:
    """Whether ``answer`` is a complete response; one that is not 200 raises ``BadAnswer``."""
    head, found, body = answer.partition(b"\r\n\r\n")
    if not found:
        return False
    if not head.startswith(b"HTTP/1.1 200"):
        raise BadAnswer(answer[:300].decode(errors="replace"))
    fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:])
    if b"content-length" in fields:
        return len(body) >= int(fields[b"content-length"])
    return body.endswith(b"0\r\n\r\n")


def run_load(
    port: int, connections: int, path: str = "/", *, seconds: float = 1e9, answers: int = 2**62
) -> Load:
    """Send as fast as the answers come, until ``seconds`` are over or ``answers`` have come."""
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    try:
        request = request_bytes(port, path)
        usual = len(exchange(sockets[0], request))
        gc.disable()
        return _drive(sockets, request, usual, seconds, answers)
    finally:
        gc.enable()
        for one in sockets:
            one.close()


def exchange(one: socket.socket, request: bytes) -> bytes:
    """Send the request and read its whole answer; the connection stays open."""
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    one.sendall(request)
    answer = b""
    while not is_whole(answer):
        more = one.recv(65536)
        if not more:
            raise BadAnswer(f"closed after {answer[:300]!r}")
        answer += more
    return answer


def _drive(sockets: list[socket.socket], request: bytes, usual: int, seconds: float, answers: int) -> Load:
    """The loop. An answer of the ``usual`` length is whole at once; others are parsed."""
    epoll = select.epoll()
    by_fd = {one.fileno(): one for one in sockets}
    sent: dict[int, float] = {}
    partial: dict[int, bytes] = {}
    latencies = array("d")
    clock = time.perf_counter
    start = clock()
    for fd, one in by_fd.items():
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        epoll.register(fd, select.EPOLLIN)
        sent[fd] = clock()
        one.send(request)
    end = start + seconds
    now = start
    while now < end and len(latencies) < answers:
        for fd, _ in epoll.poll():
            one = by_fd[fd]
            data = one.recv(65536)
            if not data:
                raise BadAnswer("the server closed a keep-alive connection")
            if len(data) != usual or fd in partial or not data.startswith(b"HTTP/1.1 200"):
                data = partial.pop(fd, b"") + data
                if not is_whole(data):
                    partial[fd] = data
                    continue
            now = clock()
            latencies.append(now - sent[fd])
            sent[fd] = now
            one.send(request)
    epoll.close()
    return Load(len(latencies), now - start, latencies)
