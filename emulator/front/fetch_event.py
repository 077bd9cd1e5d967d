"""One HTTP request as a fetch event: sent to the isolate, its answer sent to the client."""

from __future__ import annotations

import asyncio
import sys
import traceback
from typing import Final

from emulator.diagnostics.report import Report
from emulator.fleet.exchange import ClientLeft, Exchange, IsolateDied, Outcome
from emulator.fleet.isolate import Isolate
from emulator.fleet.slot import Unavailable, WorkerSlot
from emulator.front.error_answer import ErrorAnswer, explain
from emulator.front.http_request import HttpRequest, ResponseBroken
from emulator.front.record import Record
from emulator.front.replays import Replays
from emulator.front.request_limits import RequestLimits
from emulator.front.response_head import PHRASES, fields_of
from emulator.front.upload import Upload
from emulator.front.worker_response import head_of, phrase_of, send_stream, send_whole
from emulator.limits.allowance import Allowance
from emulator.wire.channel import OutStream
from emulator.wire.frames import Answer, Failed, HeaderLines

_SHOWN: Final = 200

_BODY_SECONDS: Final = 0.05
"""How long the first part of a body is waited for: most are whole then, and travel with the request."""


class _Refused(Exception):
    """The exchange of request and response goes beyond a limit that is not the Worker's CPU or memory."""

    def __init__(self, report: Report) -> None:
        super().__init__(report.what)
        self.report = report


class FetchEvent:
    """Runs once: by ``start``, or by ``run`` in a task."""

    __slots__ = (
        "_body",
        "_exchange",
        "_isolate",
        "_limits",
        "_out",
        "_record",
        "_request",
        "_requests",
        "_root",
        "_slot",
        "_uploader",
        "_url",
        "cf",
        "headers",
        "hops",
    )

    def __init__(
        self,
        slot: WorkerSlot,
        root: str,
        record: Record,
        request: HttpRequest,
        url: str,
        headers: HeaderLines,
        limits: RequestLimits,
        requests: Allowance,
    ) -> None:
        self.cf = ""
        """``request.cf`` as JSON text."""
        self.headers = headers
        self.hops = 0
        """How many Workers called one another before it."""
        self._slot = slot
        self._root = root
        self._record = record
        self._request = request
        self._url = url
        self._limits = limits
        self._requests = requests
        self._body: bytes | None = None
        self._out: OutStream | None = None
        self._isolate: Isolate | None = None
        self._exchange: Exchange | None = None
        self._uploader: asyncio.Task[None] | None = None
        request.on_left = self._leave

    @property
    def label(self) -> str:
        """``GET /path``, for messages; without the end of a path that nobody would read."""
        return f"{self._record.method} {_shown(self._record.path)}"

    def start(self) -> None:
        """Dispatch at once when nothing must be waited for, else in a task of the request."""
        request = self._request
        isolate = self._slot.active
        if isolate is None or not request.complete:
            request.spawn(self.run())
            return
        self._body = request.take() or None
        if self._body is not None and len(self._body) > self._limits.body:
            self._refuse_whole(len(self._body), more=False)
            return
        self._dispatch(isolate, self._body).on_answer = self._answered

    def _answered(self, outcome: Outcome) -> None:
        """Most requests end here: with a whole answer, and without a task."""
        if type(outcome) is Answer and type(outcome.body) is not int:
            self._respond_now(outcome)
        else:
            self._request.spawn(self.run())

    def _respond_now(self, answer: Answer) -> None:
        try:
            self._respond(answer)
        except _Refused as refused:
            self.send_error([refused.report], 500)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            self._request.fail()
        finally:
            self._record.respond_over(0)

    async def run(self) -> None:
        """Dispatch, unless that is done, and answer. Raises ``ResponseBroken`` to cut the connection."""
        try:
            answer = await self._answer()
            if type(answer) is Answer:
                await self._respond_all(answer)
            elif type(answer) is Failed:
                self.send_error([answer.report], 500)
        except Unavailable as unavailable:
            self._record.work_over(None)
            self.send_error(unavailable.reports, 500)
        except ClientLeft:
            self._record.respond_over(0)
        except _Refused as refused:
            self.send_error([refused.report], 413)
        finally:
            if self._uploader is not None:
                self._uploader.cancel()
            if self._out is not None:
                self._out.close("The response ended before the request's body was read.")
            self._record.respond_over(0)
            # Their exceptions hold this object, and what there was of the body.
            self._exchange = self._uploader = self._body = None

    async def _answer(self) -> Answer | Failed | None:
        """The answer; once more from a fresh isolate where one died and a replay is harmless."""
        more = False
        if self._exchange is None:
            part = await self._begin_of_body()
            if part is None:
                raise ClientLeft
            self._body, more = part[0] or None, part[1]
            if len(part[0]) > self._limits.body:
                self._refuse_whole(len(part[0]), more)
                return None
        replays = Replays(self._request.method, not more)
        while True:
            try:
                return await (self._exchange or await self._dispatch_when_ready(more)).answer()
            except IsolateDied as died:
                if not replays.allow(died):
                    self.send_error([replays.report(died, self.label)], 503)
                    return None
                self._record.replay()
                self._exchange = None

    async def _begin_of_body(self) -> tuple[bytes, bool] | None:
        """As of ``HttpRequest.read``; a Worker is called without it when it does not come at once."""
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                return await self._request.read()
        except TimeoutError:
            return b"", True

    async def _dispatch_when_ready(self, more: bool) -> Exchange:
        isolate = self._slot.active or await self._slot.available()
        if self._request.left:
            raise ClientLeft
        if not more:
            return self._dispatch(isolate, self._body)
        self._out = isolate.streams.open()
        exchange = self._dispatch(isolate, self._out)
        upload = Upload(self._request, self._out, self._body or b"", self._limits.body, self._refuse_body)
        self._uploader = asyncio.get_running_loop().create_task(upload.run())
        return exchange

    def _dispatch(self, isolate: Isolate, body: bytes | OutStream | None) -> Exchange:
        record = self._record
        exchange = isolate.dispatch(
            self._request.method, self._url, self.headers, self.cf, body, record.work_over
        )
        exchange.hops = self.hops
        self._isolate = isolate
        self._exchange = exchange
        record.sent(isolate, exchange)
        return exchange

    def _leave(self) -> None:
        """The client went away."""
        if self._record.ended:
            return
        if self._isolate is not None and self._exchange is not None:
            self._isolate.abort(self._exchange)
        else:
            self._record.work_over(None)
        self._record.respond_over(0)

    def _refuse_whole(self, size: int, more: bool) -> None:
        """The body is too big, and the Worker not called: it is not one of the day's requests."""
        self._requests.give_back()
        self.refuse(self._limits.body_too_big(self.label, size, more), 413, tell=True)

    def _refuse_body(self, size: int, more: bool) -> str:
        """The body is too big: a Worker that has not answered does not any more."""
        report = self._limits.body_too_big(self.label, size, more)
        self._record.explain(report)
        exchange, isolate = self._exchange, self._isolate
        if exchange is not None and isolate is not None and exchange.outcome is None:
            exchange.settle(_Refused(report))
            isolate.abort(exchange)
        return report.what

    def _head(self, answer: Answer) -> tuple[list[bytes], bytes]:
        """As of ``head_of``. Raises ``_Refused`` for more than the plan allows."""
        fields, length = head_of(answer)
        size = sum(map(len, fields))
        if size > self._limits.response_headers:
            report = self._limits.response_headers_too_big(self.label, size)
            self._record.explain(report)
            if self._exchange is not None and self._isolate is not None:
                self._isolate.abort(self._exchange)
            raise _Refused(report)
        return fields, length

    def _respond(self, answer: Answer) -> None:
        """Send an answer that has no stream."""
        fields, length = self._head(answer)
        body = answer.body if isinstance(answer.body, bytes) else b""
        send_whole(self._request, answer.status, fields, length, body)
        self._record.respond_over(answer.status, phrase_of(answer))

    async def _respond_all(self, answer: Answer) -> None:
        stream = self._exchange.stream if self._exchange is not None else None
        if stream is None:
            self._respond(answer)
            return
        fields, length = self._head(answer)
        try:
            await send_stream(self._request, answer.status, fields, length, stream)
        except ResponseBroken:
            self._record.respond_over(answer.status, "cut off: its body failed")
            raise
        self._record.respond_over(answer.status, phrase_of(answer))

    def refuse(self, report: Report, status: int, tell: bool = False) -> None:
        """Answer in place of the Worker, which never sees the request; ``tell`` the terminal why, too."""
        if tell:
            self._record.explain(report)
        self._record.path = _shown(self._record.path)
        self._record.work_over(None)
        self.send_error([report], status)

    def send_error(self, reports: list[Report], status: int) -> None:
        """Answer with reports in the format that the client prefers.

        Where they are about a limit, the status is that of the limit.
        """
        # The last one is the edge's own.
        ray = self.headers.rpartition("\ncf-ray\n")[2].partition("\n")[0]
        answer = explain(reports, self._request.headers, self._root, status, ray)
        self._record.limit = answer.limit
        send_answer(answer, self._request)
        self._record.respond_over(answer.status, PHRASES.get(answer.status, ""))


def _shown(path: str) -> str:
    return path if len(path) <= _SHOWN else path[:_SHOWN] + "…"


def send_answer(answer: ErrorAnswer, request: HttpRequest) -> None:
    """Send a response of the front's own."""
    body = b"" if request.method == "HEAD" else answer.body
    request.respond(answer.status, fields_of(answer.headers), body, b"%d" % len(answer.body))
