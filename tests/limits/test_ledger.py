"""The daily counts: in memory and on disk, over midnight, restarts, several processes and broken disks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.journal.events import Explained, JournalEvent, Notice
from emulator.limits import Plan, ledger_file, plan_named
from emulator.limits.allowance import Allowance
from emulator.limits.ledger import REFRESH_SECONDS, Ledger
from emulator.limits.ledger_file import NAME, LedgerError, LedgerFile, make_state_directory

NOON = 1_788_609_600.0
"""2026-09-05 12:00 UTC."""
DAY = 86_400.0
KEY = ("2026-09-05", "requests_per_day")


def plan(requests: float | None = 10, **values: float | None) -> Plan:
    base = plan_named("free")
    return Plan("free", "free", {**base.values, "requests_per_day": requests, **values})


class Clock:
    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Account:
    """A ledger with its journal, in a running event loop."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self.events: list[JournalEvent] = []
        self.clock = clock
        self.ledger = Ledger(directory, self.events.append, "w", "cfw-emu quota --reset", clock)

    def requests(self, limit: float | None = 10) -> Allowance:
        return self.ledger.allowance("requests_per_day", plan(limit))

    @property
    def notices(self) -> list[tuple[str, str]]:
        return [(event.level, event.text) for event in self.events if isinstance(event, Notice)]

    @property
    def whats(self) -> list[str]:
        return [event.report.what for event in self.events if isinstance(event, Explained)]

    @property
    def codes(self) -> list[str]:
        return [event.report.code for event in self.events if isinstance(event, Explained)]


def kill(account: Account) -> None:
    """As with its process: nothing more is handed over, and the system closes its file."""
    if account.ledger._timer is not None:
        account.ledger._timer.cancel()
    account.ledger._file.close()


def run(
    directory: Path, work: Callable[[Account], Awaitable[Any]], now: float = NOON, closed: bool = True
) -> Account:
    async def main() -> Account:
        account = Account(directory, Clock(now))
        await account.ledger.sync()
        await work(account)
        if closed:
            await account.ledger.close()
        else:
            kill(account)
        return account

    return asyncio.run(main())


def stored(directory: Path) -> dict[tuple[str, str], float]:
    file = LedgerFile(directory)
    try:
        return file.read(["2026-09-05", "2026-09-06", "2026-09"])
    finally:
        file.close()


async def until(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.005)


def test_counts_up_to_the_limit_and_refuses_the_next(tmp_path: Path) -> None:
    async def work(account: Account) -> None:
        requests = account.requests(10)
        assert [requests.take() for _ in range(12)] == [True] * 10 + [False] * 2
        assert (requests.used, requests.exhausted) == (10, True)
        assert not await requests.take_anew()
        assert account.ledger.counts()["requests_per_day"] == 10

    run(tmp_path, work)
    assert stored(tmp_path) == {KEY: 10}


def test_what_was_not_used_is_given_back(tmp_path: Path) -> None:
    async def work(account: Account) -> None:
        requests = account.requests(3)
        assert [requests.take() for _ in range(3)] == [True] * 3
        await account.ledger.sync()
        requests.give_back()
        assert requests.used == 2
        assert [requests.take() for _ in range(2)] == [True, False]
        requests.give_back(2)

    run(tmp_path, work)
    assert stored(tmp_path) == {KEY: 1}


def test_nothing_is_given_back_to_another_day(tmp_path: Path) -> None:
    async def work(account: Account) -> None:
        assert account.requests().take()
        await account.ledger.sync()
        account.clock.now += DAY
        await until(lambda: account.ledger.counts()["requests_per_day"] == 0)
        account.requests().give_back()
        assert account.requests().used == 0

    run(tmp_path, work)
    assert stored(tmp_path) == {KEY: 1}


def test_survives_a_restart(tmp_path: Path) -> None:
    async def first(account: Account) -> None:
        assert all(account.requests().take() for _ in range(8))

    async def second(account: Account) -> None:
        assert [account.requests().take() for _ in range(3)] == [True, True, False]

    run(tmp_path, first)
    account = run(tmp_path, second)
    # What was used before is told at once, and what comes then when it comes.
    assert [level for level, _ in account.notices] == ["warn", "error"]


def test_marks_are_told_once_each(tmp_path: Path) -> None:
    async def work(account: Account) -> None:
        requests = account.requests(10)
        for _ in range(20):
            requests.take()
        await asyncio.sleep(REFRESH_SECONDS)
        await requests.take_anew()

    assert run(tmp_path, work).notices == [
        ("info", "Requests today: 5 of 10 (50%), plan free"),
        ("warn", "Requests today: 8 of 10 (80%), plan free"),
        (
            "error",
            "Requests today: 10 of 10 (100%), plan free. The next ones are refused until 00:00 UTC, in "
            "12 h 0 min; `cfw-emu quota --reset` counts from zero.",
        ),
    ]


def test_a_small_limit_tells_only_the_highest_mark(tmp_path: Path) -> None:
    async def work(account: Account) -> None:
        requests = account.requests(1)
        assert [requests.take() for _ in range(3)] == [True, False, False]

    assert [level for level, _ in run(tmp_path, work).notices] == ["error"]


def test_workers_of_one_plan_share_their_notices_and_all_share_the_count(tmp_path: Path) -> None:
    async def work(account: Account) -> None:
        one, two, unlimited = account.requests(10), account.requests(10), account.requests(None)
        for _ in range(3):
            assert one.take() and two.take() and unlimited.take()
        assert one.take() and not two.take() and unlimited.take()
        assert unlimited.used == 11 and not unlimited.exhausted

    assert [level for level, _ in run(tmp_path, work).notices] == ["info", "warn", "error"]
    assert stored(tmp_path) == {KEY: 11}


def test_a_plan_that_is_no_longer_in_force_tells_nothing(tmp_path: Path) -> None:
    async def work(account: Account) -> None:
        requests = account.requests(4)
        assert requests.take()
        requests = account.requests(1000)
        assert all(requests.take() for _ in range(20))

    assert run(tmp_path, work).notices == []


def test_amounts_and_what_is_known_only_afterwards(tmp_path: Path) -> None:
    async def work(account: Account) -> None:
        rows = account.ledger.allowance("d1_rows_read_per_day", plan(d1_rows_read_per_day=100))
        assert rows.take(60) and not rows.take(41) and rows.take(39)
        assert not rows.exhausted
        rows.add(500)
        assert rows.exhausted and not rows.take()
        duration = account.ledger.allowance("do_gb_s_per_day", plan())
        duration.add(0.125)
        duration.add(0.25)

    account = run(tmp_path, work)
    assert account.notices[-1][1].startswith("D1 rows read today: 599 of 100 (599%)")
    expected = {"d1_rows_read_per_day": 599, "do_gb_s_per_day": 0.375}
    assert stored(tmp_path) == {("2026-09-05", name): value for name, value in expected.items()}


def test_quotas_of_a_month(tmp_path: Path) -> None:
    async def work(account: Account) -> None:
        writes = account.ledger.allowance("r2_class_a_per_month", plan(r2_class_a_per_month=2))
        assert writes.take() and account.requests().take()
        account.clock.now += DAY
        await until(lambda: account.ledger.counts()["requests_per_day"] == 0)
        assert writes.take() and not writes.take()

    account = run(tmp_path, work)
    assert "R2 class A operations this month: 2 of 2" in account.notices[-1][1]
    assert "until the month is over" in account.notices[-1][1]
    assert stored(tmp_path) == {KEY: 1, ("2026-09", "r2_class_a_per_month"): 2}


@pytest.mark.parametrize("name", ["cpu_ms", "requests", "kv_storage_gb"])
def test_other_limits_are_no_quotas(tmp_path: Path, name: str) -> None:
    async def work(account: Account) -> None:
        with pytest.raises(KeyError):
            account.ledger.allowance(name, plan())

    run(tmp_path, work)


def test_midnight_begins_anew_while_counting(tmp_path: Path) -> None:
    async def work(account: Account) -> None:
        requests = account.requests(4)
        assert [requests.take() for _ in range(5)] == [True] * 4 + [False]
        account.clock.now = NOON + DAY / 2
        await until(requests.take)
        assert requests.used == 1

    account = run(tmp_path, work, now=NOON + DAY / 2 - 1)
    assert stored(tmp_path) == {KEY: 4, ("2026-09-06", "requests_per_day"): 1}
    assert "in 1 s;" in account.notices[-1][1]


def test_midnight_begins_anew_while_nothing_happens(tmp_path: Path) -> None:
    async def work(account: Account) -> None:
        requests = account.requests(4)
        assert requests.take()
        await until(lambda: stored(tmp_path) == {KEY: 1})
        await until(lambda: account.ledger._timer is None)
        account.clock.now += DAY
        assert all(requests.take() for _ in range(4))
        assert not requests.take()

    run(tmp_path, work)
    assert stored(tmp_path) == {KEY: 1, ("2026-09-06", "requests_per_day"): 4}


def test_marks_are_told_again_on_the_next_day(tmp_path: Path) -> None:
    async def work(account: Account) -> None:
        requests = account.requests(2)
        assert requests.take() and requests.take()
        account.clock.now += DAY
        await until(requests.take)

    assert [level for level, _ in run(tmp_path, work).notices] == ["info", "error", "info"]


def test_what_was_counted_is_on_disk_soon_and_the_file_is_not_made_for_nothing(tmp_path: Path) -> None:
    directory = tmp_path / ".cfw-emu"

    async def work(account: Account) -> None:
        assert not directory.exists()
        account.requests().take()
        await until(lambda: stored(directory) == {KEY: 1})

    run(directory, work, closed=False)
    assert (directory / ".gitignore").read_text() == "*\n"


def test_nothing_happened_nothing_is_written(tmp_path: Path) -> None:
    async def work(account: Account) -> None:
        account.requests()

    run(tmp_path / "state", work)
    assert not (tmp_path / "state").exists()


def test_two_processes_count_together(tmp_path: Path) -> None:
    async def main() -> None:
        one, two = Account(tmp_path, Clock()), Account(tmp_path, Clock())
        assert all(one.requests(100).take() for _ in range(60))
        assert all(two.requests(100).take() for _ in range(30))
        await one.ledger.sync()
        await two.ledger.sync()
        assert two.requests(100).used == 90
        assert all(two.requests(100).take() for _ in range(10))
        assert not two.requests(100).take()
        await two.ledger.close()
        await one.ledger.sync()
        assert not one.requests(100).take()
        await one.ledger.close()

    asyncio.run(main())
    assert stored(tmp_path) == {KEY: 100}


def test_a_reset_by_another_process_is_noticed_at_the_next_refusal(tmp_path: Path) -> None:
    async def work(account: Account) -> None:
        requests = account.requests(2)
        assert requests.take() and requests.take() and not requests.take()
        await account.ledger.sync()
        other = LedgerFile(tmp_path)
        other.reset(["2026-09-05"])
        other.close()
        await asyncio.sleep(REFRESH_SECONDS)
        assert not requests.take() and await requests.take_anew()
        assert requests.used == 1

    account = run(tmp_path, work)
    assert stored(tmp_path) == {KEY: 1}
    # The marks are told anew, too.
    assert [level for level, _ in account.notices] == ["info", "error", "info"]


@pytest.mark.parametrize("gone", ["file", "directory"])
def test_deleting_it_is_a_reset_too(tmp_path: Path, gone: str) -> None:
    directory = tmp_path / "state"

    async def work(account: Account) -> None:
        requests = account.requests(2)
        assert requests.take() and requests.take()
        await account.ledger.sync()
        for path in directory.iterdir():
            if gone == "directory" or path.name == NAME:
                path.unlink()
        if gone == "directory":
            directory.rmdir()
        await asyncio.sleep(REFRESH_SECONDS)
        assert await requests.take_anew()

    account = run(directory, work)
    assert account.codes == [] and stored(directory) == {KEY: 1}


def test_a_refusal_asks_the_disk_only_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    visits = 0
    read = LedgerFile.read

    def counted(self: LedgerFile, periods: Any) -> Any:
        nonlocal visits
        visits += 1
        return read(self, periods)

    async def work(account: Account) -> None:
        requests = account.requests(1)
        assert requests.take()
        monkeypatch.setattr(LedgerFile, "read", counted)
        for _ in range(20):
            await asyncio.gather(*(requests.take_anew() for _ in range(50)))

    started = time.monotonic()
    run(tmp_path, work)
    assert visits <= (time.monotonic() - started) / REFRESH_SECONDS + 3


KILLED = """
import asyncio, sys
from pathlib import Path
from emulator.limits import plan_named
from emulator.limits.ledger import Ledger

def tell(event):
    print(event, file=sys.stderr)  # such as a disk that has no time: the count goes on

async def main():
    ledger = Ledger(Path(sys.argv[1]), tell, "w", "", lambda: 1788609600.0)
    await ledger.sync()
    requests = ledger.allowance("requests_per_day", plan_named("paid"))
    while True:
        requests.take()
        print(requests.used, flush=True)
        await asyncio.sleep(0.001)

asyncio.run(main())
"""


def test_a_kill_loses_only_the_last_moments_and_leaves_the_file_whole(tmp_path: Path) -> None:
    before: float = 0
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, encoding="utf-8"
        )
        try:
            past = _count_on(process, before, tmp_path)
        finally:
            process.kill()
            process.communicate()
        before = stored(tmp_path)[KEY]
        assert before > past
        with contextlib.closing(sqlite3.connect(tmp_path / NAME)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def _count_on(process: subprocess.Popen[str], before: float, directory: Path) -> float:
    """Wait until the process has counted 50 more, and the disk has them."""
    assert process.stdout is not None
    first = float(process.stdout.readline())
    assert first == before + 1
    for line in process.stdout:
        if float(line) >= first + 50 and stored(directory).get(KEY, 0) > first + 50:
            return first + 50
    raise AssertionError("it ended by itself")


DAMAGES: dict[str, Callable[[Path], None]] = {
    "text": lambda path: path.write_text("not a database, " * 100),
    "short": lambda path: path.write_bytes(b"SQLite"),
    "zeros": lambda path: path.write_bytes(path.read_bytes()[:100] + bytes(len(path.read_bytes()) - 100)),
    "noise": lambda path: path.write_bytes(path.read_bytes()[:4096] + os.urandom(8192)),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:5000]),
    "other table": lambda path: _execute(path, "DROP TABLE counts; CREATE TABLE counts (a, b)"),
}


def _execute(path: Path, script: str) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.close()


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_set_aside(tmp_path: Path, damage: str) -> None:
    async def work(account: Account) -> None:
        assert account.requests().take()

    run(tmp_path, work)
    DAMAGES[damage](tmp_path / NAME)
    account = run(tmp_path, work)
    assert account.codes == ["quota-damaged"]
    assert (tmp_path / f"{NAME}.damaged").exists()
    assert stored(tmp_path) == {KEY: 1}
    assert run(tmp_path, work).codes == []


def test_counts_that_are_no_numbers_are_zero(tmp_path: Path) -> None:
    async def work(account: Account) -> None:
        assert account.requests().take()

    run(tmp_path, work)
    _execute(tmp_path / NAME, "UPDATE counts SET amount = 'many'")
    assert run(tmp_path, work).codes == []


def test_a_file_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    async def work(account: Account) -> None:
        assert account.requests().take()

    run(tmp_path, work)
    _execute(tmp_path / NAME, "PRAGMA user_version = 99")
    account = run(tmp_path, work)
    assert account.whats == ["Today's requests cannot be counted on disk: it was made by a newer cfw-emu"]
    assert not (tmp_path / f"{NAME}.damaged").exists()


def test_a_place_that_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    async def work(account: Account) -> None:
        requests = account.requests(3)
        assert [requests.take() for _ in range(4)] == [True] * 3 + [False]
        assert not await requests.take_anew()

    account = run(tmp_path / "file" / "state", work)
    assert account.codes == ["quota-unusable"]
    report = next(event.report for event in account.events if isinstance(event, Explained))
    assert "Not a directory" in report.what and report.severity == "warning"


@pytest.fixture
def shared() -> Iterator[Path]:
    """A directory that another user may look into."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


def test_a_directory_that_may_not_be_written_to(shared: Path) -> None:
    async def work(account: Account) -> None:
        requests = account.requests(5)
        assert requests.used == 3
        assert [requests.take() for _ in range(3)] == [True, True, False]
        await account.ledger.sync()
        assert requests.used == 5

    file = LedgerFile(shared)
    file.add({KEY: 3})
    file.close()
    os.chmod(shared, 0o555)
    os.chmod(shared / NAME, 0o444)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        account = run(shared, work)
    finally:
        if root:
            os.seteuid(0)
        os.chmod(shared, 0o755)
    assert account.whats == ["Today's requests cannot be counted on disk: it may not be written to"]
    assert stored(shared) == {KEY: 3}


FULL = """
import asyncio, resource, signal, sys
sys.path[:0] = sys.argv[2:]
from pathlib import Path
from test_ledger import Account, Clock, stored, KEY
from emulator.limits import ledger

async def main():
    ledger._RETRY_SECONDS = 0.01
    account = Account(Path(sys.argv[1]), Clock())
    requests = account.requests(1000)
    assert all(requests.take() for _ in range(7))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
    await account.ledger.sync()
    assert requests.used == 7, requests.used
    assert account.codes == ["quota-unusable"], account.events
    assert requests.take()
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    while not account.notices:
        await asyncio.sleep(0.01)
    assert account.notices == [("info", "Today's requests are counted on disk again.")]
    await account.ledger.close()
    assert stored(Path(sys.argv[1])) == {KEY: 8}

asyncio.run(main())
"""


def test_a_full_disk_and_room_again(tmp_path: Path) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    paths = [str(Path(__file__).parent), *sys.path]
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path), *paths], capture_output=True, encoding="utf-8", timeout=30
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_another_process_makes_the_file_at_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sqlite3.connect(tmp_path / NAME, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr(ledger_file, "_BUSY_SECONDS", 30)
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if other.in_transaction:
            other.execute("ROLLBACK")

    monkeypatch.setattr(ledger_file, "time", SimpleNamespace(monotonic=time.monotonic, sleep=sleep))
    file = LedgerFile(tmp_path)
    file.add({KEY: 3})
    file.close()
    other.close()
    assert waited and stored(tmp_path) == {KEY: 3}


def test_a_file_that_another_program_keeps_locked(tmp_path: Path) -> None:
    async def work(account: Account) -> None:
        requests = account.requests(1000)
        requests.take()
        await account.ledger.sync()
        other = sqlite3.connect(tmp_path / NAME, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        requests.take()
        await account.ledger.sync()
        assert requests.used == 2
        assert account.whats == [
            "Today's requests cannot be counted on disk: another program keeps it locked"
        ]
        other.execute("ROLLBACK")
        other.close()
        requests.take()

    account = run(tmp_path, work)
    assert account.notices == [("info", "Today's requests are counted on disk again.")]
    assert stored(tmp_path) == {KEY: 3}


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["take", "sync", "kill"])), max_size=40))
@settings(max_examples=30, deadline=None)
def test_whatever_happens_the_counts_add_up(steps: list[tuple[int, str]]) -> None:
    """The disk has what was counted, less at most what a killed process had not handed over."""

    async def main(directory: Path) -> None:
        clock = Clock()
        accounts = [Account(directory, clock) for _ in range(3)]
        waiting, expected = [0, 0, 0], 0
        for who, step in steps:
            account = accounts[who]
            if step == "take":
                assert account.requests(None).take()
                waiting[who] += 1
            elif step == "sync":
                await account.ledger.sync()
                expected += waiting[who]
                waiting[who] = 0
                assert account.requests(None).used == expected
            else:
                kill(account)
                accounts[who], waiting[who] = Account(directory, clock), 0
        for account in accounts:
            await account.ledger.close()
        assert stored(directory) == ({KEY: expected + sum(waiting)} if expected + sum(waiting) else {})

    with tempfile.TemporaryDirectory() as name:
        asyncio.run(main(Path(name)))


def test_the_cost_of_a_count(tmp_path: Path) -> None:
    """Generous: about a tenth of a microsecond is usual."""

    async def work(account: Account) -> None:
        take, rounds = account.requests(None).take, 100_000
        started = time.process_time()
        for _ in range(rounds):
            take()
        assert (time.process_time() - started) / rounds < 2e-6

    run(tmp_path, work)


def test_the_state_directory_of_a_name_without_a_dot_gets_no_gitignore(tmp_path: Path) -> None:
    make_state_directory(tmp_path / "data")
    assert list((tmp_path / "data").iterdir()) == []


def test_a_reset_of_what_was_never_made(tmp_path: Path) -> None:
    file = LedgerFile(tmp_path / "no" / "where")
    file.reset(["2026-09-05"])
    assert file.read(["2026-09-05"]) == {}
    assert not (tmp_path / "no").exists()


def test_a_directory_in_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(LedgerError) as caught:
        LedgerFile(tmp_path).read(["2026-09-05"])
    assert caught.value.report.code == "quota-unusable"
