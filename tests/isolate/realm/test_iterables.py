"""Iterables that the platform's functions take: the protocol as the specification has it."""

import pytest

from .conftest import JSFailure

ITERABLE = "({ [Symbol.iterator]: () => (%s) })"


@pytest.mark.parametrize(
    "iterator",
    ["{ next: () => 5 }", "{ next: () => undefined }", "{ next: () => 'text' }", "{ next: 5 }", "7"],
)
def test_iterator_that_is_none_is_refused(run, iterator):
    with pytest.raises(JSFailure, match="TypeError"):
        run(f"return AbortSignal.any({ITERABLE % iterator})")


def test_next_is_read_once(run):
    script = """
      let reads = 0, left = 3;
      const iterator = { get next() { reads++; return () => ({ done: left-- === 0, value: ["a", "b"] }); } };
      return [new URLSearchParams({ [Symbol.iterator]: () => iterator }).size, reads]
    """
    assert run(script) == [3, 1]
