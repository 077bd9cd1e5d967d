"""The memory of an isolate: measured, limited in the act, and recognised however it shows."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from emulator.isolate.memory import MB, RESERVE_BYTES, RESERVES, SLACK_BYTES, MemoryWatch
from emulator.isolate.memory_errors import PYTHON, ran_out, says_full
from emulator.isolate.memory_use import LinuxSource, Use, source

linux = pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA covers all memory on Linux only")


class Fake:
    """A system whose numbers a test sets."""

    can_limit = True

    def __init__(self, data: int = 0, free: int = 0, stack: int = 0) -> None:
        self.data, self.free, self.stack = data * MB, free * MB, stack * MB
        self.limits: list[int | None] = []

    def quick(self) -> int:
        return self.data + self.stack

    def whole(self) -> Use:
        return Use(self.data, self.free, self.stack)

    def peak(self) -> int:
        return self.data

    def limit(self, data_bytes: int) -> None:
        self.limits.append(data_bytes)

    def lift(self) -> None:
        self.limits.append(None)


def watch(fake: Fake, limit_mb: int = 128) -> tuple[MemoryWatch, list[int]]:
    told: list[int] = []
    made = MemoryWatch(fake)
    made.on_exceeded = told.append
    made.arm(limit_mb * MB)
    return made, told


# ---- what counts ------------------------------------------------------------------------


def test_an_empty_isolate_uses_nothing() -> None:
    made, _ = watch(Fake(data=26, free=1, stack=1))

    assert made.used() == 0


def test_memory_counts_above_an_empty_isolate_without_holes_and_without_the_stack() -> None:
    fake = Fake(data=26, free=1, stack=1)
    made, _ = watch(fake)

    fake.data, fake.free, fake.stack = 126 * MB, 31 * MB, 9 * MB

    assert made.used() == (100 - 30) * MB


def test_less_than_an_empty_isolate_is_nothing() -> None:
    fake = Fake(data=26)
    made, _ = watch(fake)

    fake.data = 20 * MB

    assert made.used() == 0


def test_what_the_emulator_leaves_behind_does_not_count() -> None:
    fake = Fake(data=26)
    made, _ = watch(fake)

    with made.ours():
        fake.data += 40 * MB
    fake.data += 3 * MB

    assert made.used() == 3 * MB


def test_the_emulator_is_not_limited_in_its_own_work_and_the_worker_is_again_afterwards() -> None:
    fake = Fake(data=26)
    made, _ = watch(fake)
    made.enforce()

    with made.ours():
        assert fake.limits[-1] is None
        fake.data += 40 * MB

    assert fake.limits[-1] == (26 + 40 + 128) * MB + SLACK_BYTES


# ---- limits -----------------------------------------------------------------------------


def test_nothing_is_limited_without_a_limit() -> None:
    fake = Fake(data=26)
    made, told = watch(fake, 0)

    made.enforce()
    fake.data += 1000 * MB
    made.look()

    assert (fake.limits, told, made.exceeded) == ([], [], False)
    assert made.room() > 1000 * MB


def test_enforcing_twice_costs_one_call() -> None:
    fake = Fake(data=26)
    made, _ = watch(fake)

    for call in (made.relax, made.enforce, made.enforce, made.relax, made.relax):
        call()

    assert fake.limits == [(26 + 128) * MB + SLACK_BYTES, None]


def test_holes_in_the_heap_are_room_that_needs_no_allocation() -> None:
    fake = Fake(data=26)
    made, _ = watch(fake)
    made.enforce()
    fake.data, fake.free = 126 * MB, 60 * MB

    made.look()

    assert made.used() == 40 * MB
    assert fake.limits[-1] == (26 + 60 + 128) * MB + SLACK_BYTES


def test_a_slow_leak_is_told_once_when_it_crosses() -> None:
    fake = Fake(data=26)
    made, told = watch(fake)

    for _ in range(40):
        fake.data += 5 * MB
        made.look()

    assert told == [130 * MB]


def test_bodies_that_wait_to_be_sent_are_no_leak() -> None:
    fake = Fake(data=26)
    made, told = watch(fake)
    fake.data += 150 * MB

    assert made.look(ours_bytes=60 * MB) == 90 * MB
    assert told == []


def test_memory_that_was_only_kept_by_the_allocator_is_no_leak() -> None:
    fake = Fake(data=26)
    made, told = watch(fake)
    fake.data += 150 * MB
    made.used()
    fake.free = 100 * MB

    made.look()

    assert told == []


def test_a_hit_gives_reserves_until_there_are_no_more() -> None:
    fake = Fake(data=26)
    made, told = watch(fake)
    made.enforce()
    fake.data += 100 * MB

    for _ in range(RESERVES + 3):
        made.hit()

    first = (26 + 128) * MB + SLACK_BYTES
    assert fake.limits[-1] == first + RESERVES * RESERVE_BYTES
    assert fake.limits[1] == first + RESERVE_BYTES
    assert told == [100 * MB]


def test_need_raises_where_there_is_no_room_for_it() -> None:
    fake = Fake(data=26)
    made, _ = watch(fake)
    fake.data += 100 * MB
    made.need(100 * MB)
    made.enforce()

    made.need(20 * MB)
    with pytest.raises(MemoryError):
        made.need(50 * MB)


def test_code_that_must_get_its_memory_runs_without_a_limit() -> None:
    fake = Fake(data=26)
    made, _ = watch(fake)
    made.enforce()

    with made.unlimited():
        assert fake.limits[-1] is None
        fake.data += 9 * MB

    assert (made.enforced, made.used()) == (True, 9 * MB)
    made.relax()
    with made.unlimited():
        pass
    assert not made.enforced


def test_the_emulators_copies_are_made_again_without_a_limit() -> None:
    made, told = watch(Fake(data=26))
    made.enforce()

    def copy() -> bytes:
        if made.enforced:
            raise MemoryError
        return b"body"

    assert (made.again(copy), made.struck, told) == (b"body", False, [])


def test_other_mistakes_of_the_emulator_stay_what_they_are() -> None:
    made, _ = watch(Fake(data=26))

    with pytest.raises(SystemError, match="broken"):
        made.again(lambda: (_ for _ in ()).throw(SystemError("broken")))


def test_null_is_blamed_on_the_memory_only_where_it_was_full() -> None:
    fake = Fake(data=26)
    made, _ = watch(fake)

    assert (made.blame(None), made.strike("")) == ("", False)
    fake.data += 120 * MB
    assert (made.blame(None), made.blame(), made.blame(ValueError())) == ("JavaScript", "", "")
    assert made.strike("") and made.struck


def test_what_javascript_caught_counts_until_the_hit() -> None:
    made, _ = watch(Fake(data=26))

    assert not made.strike("x is not a function")
    assert made.strike("out of memory")
    assert made.blame() == "JavaScript"
    made.hit()
    assert not made.struck


def test_what_is_shown_is_never_below_the_limit_that_was_hit() -> None:
    made, _ = watch(Fake())

    assert (made.shown(130 * MB), made.shown(4 * MB)) == ("130 MB", "over 128 MB")


# ---- its exceptions ---------------------------------------------------------------------


def caught(raising: Callable[[], Any]) -> BaseException:
    try:
        raising()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def wrapped() -> None:
    try:
        raise MemoryError
    except MemoryError:
        raise ValueError("bad") from None


def grouped() -> None:
    raise ExceptionGroup("two", [ValueError("bad"), MemoryError()])


def circular() -> None:
    first, second = ValueError("1"), ValueError("2")
    first.__context__, second.__context__ = second, first
    raise first


@pytest.mark.parametrize(
    ("raising", "what"),
    [
        (lambda: bytearray(1 << 62), PYTHON),
        (wrapped, PYTHON),
        (grouped, PYTHON),
        (circular, ""),
        (lambda: 1 / 0, ""),
    ],
)
def test_exceptions_for_want_of_memory_are_recognised(raising: Callable[[], Any], what: str) -> None:
    assert ran_out(caught(raising)) == what


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("InternalError: out of memory", True),
        ("RangeError: out of memory\n    at f (x.js:1)", True),
        ("RangeError: out of memory in regexp execution", True),
        ("out of memory", True),
        ("RangeError: Invalid string length", False),
        ("Error: we ran out of memory", False),
        ("", False),
    ],
)
def test_javascripts_words_for_it(text: str, full: bool) -> None:
    assert says_full(text) is full


def test_values_that_programs_throw_are_not_it() -> None:
    assert [ran_out(value) for value in (None, 5, "out of memory", object())] == ["", "", "", ""]


# ---- in processes of their own ----------------------------------------------------------

_PREPARED = """
import os, sys
from emulator.isolate import main
from emulator.isolate.memory import MB, MemoryWatch

def watched(limit_mb=128):
    watch = MemoryWatch()
    watch.told = []
    watch.on_exceeded = watch.told.append
    watch.arm(limit_mb * MB)
    watch.enforce()
    return watch

def run(code):
    try:
        return main.prepared().realm.engine.eval(code, "test.js")
    except BaseException as error:
        watch.relax()
        return error
"""


@pytest.fixture(scope="module")
def forks() -> Callable[[str], str]:
    """Run code in a process with a booted realm; gives what it printed."""

    def run(code: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", _PREPARED + textwrap.dedent(code)],
            capture_output=True,
            timeout=60,
            text=True,
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout.strip()

    return run


@linux
@pytest.mark.parametrize(
    "greedy",
    [
        "bytearray(200 * MB)",
        "list(range(10**8))",
        "[0] * 10**9",
        "'x' * 10**12",
        "1 << (1 << 33)",
        "[bytearray(MB) for _ in range(500)]",
        "{str(i): i for i in range(10**8)}",
        "__import__('json').loads('[' + '[1,2,3],' * 4000000 + '1]')",
    ],
)
def test_python_gets_a_memory_error_in_the_act(forks: Callable[[str], str], greedy: str) -> None:
    code = f"""
    watch = watched()
    try:
        {greedy}
    except MemoryError as error:
        blamed = watch.blame(error)
        watch.hit()
        print(blamed, len(watch.told), watch.struck, len(bytearray(20 * MB)) // MB)
    """
    assert forks(code) == "Python 1 False 20"


@linux
@pytest.mark.parametrize(
    "greedy",
    [
        "new Uint8Array(200e6)",
        "let a = []; for (;;) a.push({ x: 1 })",
        "let m = new Map(); for (let i = 0; ; i++) m.set('k' + i, i)",
        "'x'.repeat(3e8)",
        "new Array(5e7).fill(0)",
        "JSON.parse('[' + '[],'.repeat(5e6) + '1]')",
        "btoa('x'.repeat(60e6))",
    ],
)
def test_javascript_gets_its_error_in_the_act_and_the_realm_goes_on(
    forks: Callable[[str], str], greedy: str
) -> None:
    code = f"""
    main.preload()
    watch = watched()
    thrown = run({greedy!r})
    blamed = watch.blame(thrown) in ("JavaScript", "Python")
    watch.hit()
    print(blamed, len(watch.told), run("new URL('http://a/b').pathname"))
    """
    assert forks(code) == "True 1 /b"


@linux
@pytest.mark.parametrize("megabytes", [60, 100, 120])
@pytest.mark.parametrize("kind", ["bytes(b'x') * ({} * MB)", "[bytes(1000) for _ in range({} * 1000)]"])
def test_use_below_the_limit_is_left_alone(forks: Callable[[str], str], kind: str, megabytes: int) -> None:
    code = f"""
    watch = watched()
    kept = {kind.format(megabytes)}
    used = watch.look()
    print({megabytes} * 0.9 < used / MB < {megabytes} * 1.06 + 1, watch.told, watch.struck)
    del kept
    print(watch.look() < 5 * MB or watch.used() / MB)
    """
    assert forks(code) == "True [] False\nTrue"


@linux
@pytest.mark.parametrize("megabytes", [60, 100, 120])
def test_javascripts_use_below_the_limit_is_left_alone(forks: Callable[[str], str], megabytes: int) -> None:
    code = f"""
    main.preload()
    watch = watched()
    run("globalThis.kept = new Uint8Array({megabytes} * 1024 * 1024).fill(1); 1")
    print({megabytes} <= watch.look() / MB < {megabytes + 2}, watch.told, watch.struck)
    run("delete globalThis.kept; 1")
    print(watch.look() < 2 * MB)
    """
    assert forks(code) == "True [] False\nTrue"


@linux
def test_freed_memory_is_free_again_even_where_the_heap_keeps_it(forks: Callable[[str], str]) -> None:
    code = """
    watch = watched()
    for _ in range(5):
        kept = [bytes(600) for _ in range(100_000)]
        pin = bytes(900)
        del kept
        watch.look()
    kept = bytearray(110 * MB)
    print(watch.look() // MB in range(105, 128), watch.told, watch.struck)
    """
    assert forks(code) == "True [] False"


@linux
def test_a_deep_stack_is_not_memory(forks: Callable[[str], str]) -> None:
    code = """
    main.preload()
    watch = watched()
    print(run("(function f(n) { return n ? 1 + f(n - 1) : 0 })(8000)"), watch.look() < MB)
    """
    assert forks(code) == "8000 True"


@linux
def test_wasm_memory_counts_and_does_not_grow_past_the_limit(forks: Callable[[str], str]) -> None:
    code = """
    main.preload()
    main.warm()
    watch = watched()
    print(run("globalThis.m = new WebAssembly.Memory({ initial: 1 }); m.grow(1000)"), 62 <= watch.look() // MB <= 63)
    print("grow" in str(run("m.grow(1500)")), run("m.buffer.byteLength") == 1001 * 65536)
    """
    assert forks(code) == "1 True\nTrue True"


@linux
def test_the_kernels_numbers() -> None:
    measured = source()
    assert isinstance(measured, LinuxSource)
    use = measured.whole()

    assert measured.quick() == pytest.approx(use.data + use.stack, abs=2 * MB)
    assert 0 < use.stack < 70 * MB
    assert 0 <= use.free < use.data


@linux
def test_a_limit_that_was_there_before_stays(forks: Callable[[str], str]) -> None:
    code = """
    import resource
    resource.setrlimit(resource.RLIMIT_DATA, (1024 * MB, resource.RLIM_INFINITY))
    watch = watched()
    within = resource.getrlimit(resource.RLIMIT_DATA)[0] < 400 * MB
    watch.relax()
    print(within, resource.getrlimit(resource.RLIMIT_DATA)[0] // MB)
    """
    assert forks(code) == "True 1024"
