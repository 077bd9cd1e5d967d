"""How an event under way learns its answer."""

from __future__ import annotations

import asyncio

import pytest

from emulator.fleet.exchange import Exchange, IsolateDied, Outcome
from emulator.wire.frames import Answer

ANSWER = Answer(1, 200, "OK", [], b"hello")


def _exchange() -> Exchange:
    return Exchange(1, lambda cpu_us: None)


def test_the_answer_is_awaited_or_here_already() -> None:
    async def run() -> None:
        exchange = _exchange()
        waiting = asyncio.create_task(exchange.answer())
        await asyncio.sleep(0)
        exchange.settle(ANSWER)
        assert await waiting is ANSWER
        assert await exchange.answer() is ANSWER

    asyncio.run(run())


def test_only_the_first_outcome_counts_and_is_told_at_once() -> None:
    told: list[Outcome] = []
    exchange = _exchange()
    exchange.on_answer = told.append
    exchange.settle(ANSWER)
    exchange.settle(IsolateDied("killed"))
    assert told == [ANSWER]
    assert exchange.outcome is ANSWER


def test_what_it_ended_with_is_raised() -> None:
    async def run() -> None:
        exchange = _exchange()
        waiting = asyncio.create_task(exchange.answer())
        await asyncio.sleep(0)
        exchange.settle(IsolateDied("killed"))
        with pytest.raises(IsolateDied, match="killed"):
            await waiting
        with pytest.raises(IsolateDied, match="killed"):
            await exchange.answer()

    asyncio.run(run())


def test_who_stops_waiting_does_not_hinder_it() -> None:
    async def run() -> None:
        exchange = _exchange()
        waiting = asyncio.create_task(exchange.answer())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0)
        exchange.settle(ANSWER)
        assert exchange.outcome is ANSWER

    asyncio.run(run())
