"""What one event may ask of the network: how often, and how much of it at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from emulator.fleet.calls import CallFailed, Subrequests, shown_call
from emulator.wire.frames import Call, Limits


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await test()

    asyncio.run(main())


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class Visitor:
    """Waits for a connection, and keeps it until it is told to let go."""

    def __init__(self, subrequests: Subrequests, order: list[str], name: str) -> None:
        self.release = asyncio.Event()
        self.task = asyncio.create_task(self._run(subrequests, order, name))
        subrequests.hold(self.task)

    async def _run(self, subrequests: Subrequests, order: list[str], name: str) -> None:
        async with subrequests.connection():
            order.append(name)
            await self.release.wait()


def test_the_request_above_the_limit_is_refused() -> None:
    subrequests = Subrequests(Limits(subrequests=2))
    subrequests.add()
    subrequests.add()
    for _ in range(2):
        with pytest.raises(CallFailed) as failed:
            subrequests.add()
        assert str(failed.value) == "Too many subrequests by single Worker invocation."
        assert failed.value.js_class == "Error"
    assert subrequests.count == 4


def test_without_a_limit_any_number_is_counted() -> None:
    subrequests = Subrequests(Limits())
    for _ in range(1000):
        subrequests.add()
    assert subrequests.count == 1000


def test_connections_are_handed_on_in_order() -> None:
    async def test() -> None:
        subrequests, order = Subrequests(Limits(connections=2)), list[str]()
        visitors = [Visitor(subrequests, order, name) for name in "abcdef"]
        await turns()
        assert order == ["a", "b"]
        visitors[1].release.set()
        await turns()
        assert order == ["a", "b", "c"]
        late = Visitor(subrequests, order, "late")
        visitors[0].release.set()
        visitors[2].release.set()
        await turns()
        assert order == ["a", "b", "c", "d", "e"]
        for visitor in (*visitors, late):
            visitor.release.set()
        await turns()
        assert order == ["a", "b", "c", "d", "e", "f", "late"]
        again = [Visitor(subrequests, order, name) for name in "xyz"]
        await turns()
        assert order[-2:] == ["x", "y"]
        for visitor in again:
            visitor.release.set()

    run(test)


def test_one_that_is_cancelled_gives_up_its_place() -> None:
    async def test() -> None:
        subrequests, order = Subrequests(Limits(connections=1)), list[str]()
        first, second, third = (Visitor(subrequests, order, name) for name in "abc")
        await turns()
        second.task.cancel()
        await turns()
        first.release.set()
        await turns()
        assert order == ["a", "c"]
        third.task.cancel()
        await turns()
        last = Visitor(subrequests, order, "d")
        await turns()
        assert order == ["a", "c", "d"]
        last.release.set()

    run(test)


def test_a_turn_that_comes_with_the_cancellation_is_not_lost() -> None:
    async def test() -> None:
        subrequests, order = Subrequests(Limits(connections=1)), list[str]()
        first, second, third = (Visitor(subrequests, order, name) for name in "abc")
        await turns()
        first.release.set()
        first.task.add_done_callback(lambda _: second.task.cancel())
        await turns()
        await turns()
        assert order[0] == "a" and order[-1] == "c"
        third.release.set()

    run(test)


def test_the_end_of_the_event_ends_what_waits_and_what_runs() -> None:
    async def test() -> None:
        subrequests, order = Subrequests(Limits(connections=2)), list[str]()
        visitors = [Visitor(subrequests, order, name) for name in "abcd"]
        await turns()
        assert subrequests.end() == []
        await asyncio.gather(*(visitor.task for visitor in visitors), return_exceptions=True)
        assert all(visitor.task.cancelled() for visitor in visitors)
        assert order == ["a", "b"]

    run(test)


def test_the_end_tells_which_calls_have_no_answer() -> None:
    async def test() -> None:
        subrequests = Subrequests(Limits())

        async def serve(answers: bool) -> None:
            if answers:
                subrequests.answered()
            await asyncio.Event().wait()

        calls = [Call(number, 1, "fetch", "fetch", {}) for number in range(4)]
        tasks = [asyncio.create_task(serve(call.call == 1)) for call in calls]
        for task, call in zip(tasks, calls, strict=True):
            subrequests.hold(task, call)
        await turns()
        tasks[2].cancel()
        assert subrequests.end() == [calls[0], calls[3]]
        await asyncio.gather(*tasks, return_exceptions=True)
        assert subrequests.end() == []

    run(test)


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (
            {"method": "GET", "url": "http://me:hush@example.com:81/路?key=1#x"},
            "GET http://example.com:81/路",
        ),
        ({}, " ://"),
        (None, " ://"),
    ],
)
def test_a_call_is_shown_without_secrets(args: Any, text: str) -> None:
    assert shown_call(Call(1, 1, "fetch", "fetch", args)) == text


def test_without_a_limit_all_go_at_once() -> None:
    async def test() -> None:
        subrequests, order = Subrequests(Limits()), list[str]()
        visitors = [Visitor(subrequests, order, str(number)) for number in range(100)]
        await turns()
        assert len(order) == 100
        for visitor in visitors:
            visitor.release.set()

    run(test)
