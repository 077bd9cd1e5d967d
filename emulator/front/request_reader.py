"""Requests out of the bytes that a client sends: httptools parses, this makes ``HttpRequest`` of it."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, Any, Final

import httptools

from emulator.front.http_request import BODY_HEADERS, Headers, HttpRequest
from emulator.front.response_head import fields_of

if TYPE_CHECKING:
    from emulator.front.protocol import HttpConnection

HIGH_WATER: Final = 64 * 1024
"""Bytes of a request's body that may wait for the application before reading pauses."""
MAX_HEAD: Final = 1024 * 1024
"""Bytes; a longer head is refused before it fills the memory."""

_NOT_ASCII: Final = re.compile(rb"[\x80-\xff]")
_REQUEST_LINE: Final = re.compile(rb"[A-Z-]+ ")
"""How the line with the target begins. No header field does: its name has no space behind it."""
_LINE_START: Final = 64
"""Bytes of a line that tell what it is."""


def _refusal(status: str, text: str) -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: text/plain;charset=UTF-8\r\n"
    return f"{head}content-length: {len(text)}\r\nconnection: close\r\n\r\n{text}".encode()


BAD_REQUEST: Final = _refusal("400 Bad Request", "Invalid HTTP request received.\n")
HEAD_TOO_LONG: Final = _refusal(
    "431 Request Header Fields Too Large", "The head of the request is over 1 MiB.\n"
)


class RequestReader:
    """Fills ``waiting``. The connection takes requests from there when their turn comes."""

    def __init__(self, connection: HttpConnection) -> None:
        self.waiting: deque[HttpRequest] = deque()
        """Requests whose head is here, in order; only the last one's body may be on its way."""
        self.refusal = b""
        """Sent when the requests before the one that is malformed are answered, as the last response."""
        self._connection = connection
        self._parser = _new_parser(self)
        self._url = b""
        self._headers: Headers = []
        self._expects_continue = False
        self._in_head = False
        self._head_size = 0
        """Bytes since a head, or what stands around the parts of a body, began."""
        self._line = b""
        """How the last line of an unfinished head begins."""
        self._body_only = False
        """Whether the parser was given a head anew, for the sake of the body."""
        self._deaf = False
        self._reading: HttpRequest | None = None
        """The request whose body is on its way."""

    @property
    def cut_short(self) -> bool:
        """Whether the client may be sending what nobody reads: a body, or what is no HTTP."""
        return self._reading is not None or bool(self.refusal)

    @property
    def between_requests(self) -> bool:
        """Whether no part of a request is here that is not whole."""
        return not self._in_head and self._reading is None

    def feed(self, data: bytes) -> None:
        """Take what the client sent."""
        if self._deaf:
            return
        if data.isascii():
            self._parse(data)
        else:
            self._parse_by_line(data)
        if self._in_head or self._reading is not None:
            self._head_size += len(data)
            if self._head_size > MAX_HEAD:
                self._refuse(HEAD_TOO_LONG)

    def stop(self) -> None:
        """Ignore what else the client sends, and what waits."""
        self._deaf = True
        self.waiting.clear()

    def close(self) -> None:
        """The connection is over."""
        self.stop()
        # Both hold this object, and the request what came of its body.
        self._parser = self._reading = None

    def _parse_by_line(self, data: bytes) -> None:
        """Escape targets as a browser would have: others send ``/你好`` as it is. The parser refuses that."""
        while data and self._reading is None and not self._deaf:
            end = data.find(b"\n") + 1 or len(data)
            line, data = data[:end], data[end:]
            if not self._in_head or _REQUEST_LINE.match(self._line + line[:_LINE_START]):
                line = _NOT_ASCII.sub(lambda byte: b"%%%02X" % ord(byte[0]), line)
            self._parse(line)
        self._parse(data)

    def _parse(self, data: bytes) -> None:
        begun = self._line if self._in_head else b""
        self._feed_parser(data)
        if self._in_head:
            _, ended, line = data.rpartition(b"\n")
            self._line = (line if ended else begun + line)[:_LINE_START]

    def _feed_parser(self, data: bytes) -> None:
        while data:
            try:
                self._parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]
                self._stay_with_http()
            except httptools.HttpParserError:
                if not self._deaf:
                    self._refuse(BAD_REQUEST)
                return

    def _stay_with_http(self) -> None:
        """No other protocol is spoken here: an offer to change to one (h2c, say) is ignored.

        The parser takes all that follows such a head for the other protocol's, a body included.
        """
        if self._deaf or not self.waiting:
            return
        request = self.waiting[-1]
        if request.method == "CONNECT":
            request.keep_alive = False
            self._deaf = True
        elif request.announces_body:
            request.complete = False
            request.expects_continue = self._expects_continue
            self._reading = request
            self._body_only = True
            self._parser = _new_parser(self)
            fields = fields_of(pair for pair in request.headers if pair[0] in BODY_HEADERS)
            self._parser.feed_data(b"POST / HTTP/1.1\r\n%b\r\n" % b"".join(fields))

    def _refuse(self, answer: bytes) -> None:
        """What the client sends is no HTTP (any more)."""
        self._deaf = True
        self._in_head = False
        self.refusal = answer
        broken, self._reading = self._reading, None
        if broken is None:
            return
        if broken in self.waiting:
            self.waiting.remove(broken)
        else:
            self._connection.break_off(broken)

    # ---- called by the parser -----------------------------------------------

    def on_message_begin(self) -> None:
        self._url = b""
        self._headers = []
        self._expects_continue = False
        self._in_head = True
        self._head_size = 0

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._reading is not None:
            return  # behind the body
        name = name.lower()
        value = value.rstrip(b" \t")
        if name == b"expect" and value.lower() == b"100-continue":
            self._expects_continue = True
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._deaf or self._body_only:
            return
        parser = self._parser
        version = parser.get_http_version()
        self._expects_continue = self._expects_continue and version == "1.1"
        request = HttpRequest(
            self._connection,
            parser.get_method().decode("ascii"),
            self._url,
            self._headers,
            version,
            parser.should_keep_alive(),
        )
        request.expects_continue = self._expects_continue
        self._reading = request
        self.waiting.append(request)

    def on_body(self, data: bytes) -> None:
        self._head_size = 0
        request = self._reading
        if request is not None and not request.over and request.add(data) > HIGH_WATER:
            self._connection.pause_reading()

    def on_message_complete(self) -> None:
        self._body_only = False
        request, self._reading = self._reading, None
        if request is not None:
            request.complete = True
            request.expects_continue = False
            request.wake()
            self._deaf = not request.keep_alive


def _new_parser(reader: RequestReader) -> Any:
    parser = httptools.HttpRequestParser(reader)
    # What a client sends after a request with "Connection: close" is no mistake of that request.
    parser.set_dangerous_leniencies(lenient_data_after_close=True)
    return parser
