"""The ``Call`` frames of one isolate while they are being answered."""

from __future__ import annotations

import asyncio
import sys
import traceback
from typing import Final

from emulator.fleet.calls import CallFailed, CallHandler, Subrequests
from emulator.wire.channel import Channel, InStream, StreamBroken, Streams
from emulator.wire.frames import Call, CancelCall, Return, WorkerSpec

_OVER: Final = "The event is over."


class CallsUnderWay:
    """Has ``handler`` do each call in a task of its own and sends what it gives."""

    def __init__(self, spec: WorkerSpec, channel: Channel, streams: Streams, handler: CallHandler) -> None:
        self._spec = spec
        self._channel = channel
        self._streams = streams
        self._handler = handler
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def serve(self, frame: Call, subrequests: Subrequests) -> None:
        """Begin to answer a call of the event that ``subrequests`` belongs to."""
        task = asyncio.get_running_loop().create_task(self._serve(frame, self._body(frame), subrequests))
        self._tasks[frame.call] = task
        subrequests.hold(task, frame)
        task.add_done_callback(lambda _: self._tasks.pop(frame.call, None))

    def refuse(self, frame: Call) -> None:
        """The event of this call is over, and with it all that it might still ask for."""
        body = self._body(frame)
        if isinstance(body, InStream):
            body.cancel(_OVER)
        self._fail(frame, "Error", _OVER)

    def cancel(self, frame: CancelCall) -> None:
        """The Worker does not wait for this call any more."""
        task = self._tasks.get(frame.call)
        if task is not None:
            task.cancel()

    def end(self) -> None:
        """The isolate is gone: nobody waits for any call."""
        for task in list(self._tasks.values()):
            task.cancel()

    def _body(self, frame: Call) -> bytes | InStream | None:
        return self._streams.incoming(frame.body) if isinstance(frame.body, int) else frame.body

    def _fail(self, call: Call, js_class: str, message: str) -> None:
        self._channel.send(Return(call.call, None, None, (js_class, message)))

    async def _serve(self, call: Call, body: bytes | InStream | None, subrequests: Subrequests) -> None:
        try:
            result = await self._handler(self._spec, call, body, subrequests)
            subrequests.answered()
        except Exception as error:  # nothing may leave a call without an answer
            if not isinstance(error, CallFailed | StreamBroken):
                traceback.print_exc(file=sys.stderr)
            self._fail(call, error.js_class if isinstance(error, CallFailed) else "Error", str(error))
            return
        finally:
            if isinstance(body, InStream):
                body.cancel("The request is over.")
        if result.body is None or isinstance(result.body, bytes):
            self._channel.send(Return(call.call, result.value, result.body))
            return
        stream = self._streams.open()
        self._channel.send(Return(call.call, result.value, stream.id))
        await stream.write_all(result.body)
