"""Timers, microtasks, scheduler, performance and MessageChannel."""

from __future__ import annotations

import pytest

from .conftest import JSFailure


def test_order_and_arguments(run, io):
    script = """
      const log = [];
      setTimeout((...a) => log.push('late', ...a), 20, 1, 2); setTimeout(() => log.push('soon'));
      queueMicrotask(() => log.push('micro')); log.push('sync');
      await scheduler.wait(30); return log
    """
    assert run(script) == ["sync", "micro", "soon", "late", 1, 2]
    assert io.now == 30


def test_interval_and_clear(run):
    script = """
      let n = 0; const id = setInterval(() => { if (++n === 3) clearInterval(id) }, 10);
      const never = setTimeout(() => n = 100, 5); clearTimeout(never); clearTimeout(undefined); clearTimeout('x');
      await scheduler.wait(100); return [n, typeof id]
    """
    assert run(script) == [3, "number"]


def test_errors_in_callbacks_are_reported(run, io):
    assert run("setTimeout(() => { throw new Error('late') }); await scheduler.wait(5); return 'on'") == "on"
    assert io.logs[0][0] == "error"
    assert io.logs[0][1].startswith("Uncaught Error: late\n    at ")
    assert "cfw-emu" not in io.logs[0][1]


@pytest.mark.parametrize("call", ["setTimeout('code')", "setInterval({})", "queueMicrotask('x')"])
def test_only_functions(run, call):
    with pytest.raises(JSFailure, match="parameter 1 is not of type 'function'"):
        run(call)


def test_wait_with_signal(run):
    script = """
      const c = new AbortController(); setTimeout(() => c.abort(new Error('stop')), 5);
      try { await scheduler.wait(1000, {signal: c.signal}) } catch (e) { return e.message }
    """
    assert run(script) == "stop"


def test_performance(run):
    script = "[performance.timeOrigin, Number.isInteger(performance.now()), Math.abs(performance.now() - Date.now()) < 1000]"
    assert run(script) == [0, True, True]


def test_message_channel(run):
    script = """
      const {port1, port2} = new MessageChannel(); const got = [];
      port1.postMessage({a: 1}); port2.onmessage = (e) => got.push(e.data, e.type); port1.postMessage(new Map([[1, 2]]));
      got.push('sync'); await scheduler.wait(1);
      port2.close(); port1.postMessage('lost'); await scheduler.wait(1);
      return [got[0], got[1], got[2], got[3].get(1), got.length]
    """
    assert run(script) == ["sync", {"a": 1}, "message", 2, 5]


def test_ports_are_transferable(run):
    script = """
      const a = new MessageChannel(); const b = new MessageChannel();
      const inner = new Promise((resolve) => a.port2.onmessage = (e) => e.data.port.onmessage = (m) => resolve(m.data));
      a.port1.postMessage({port: b.port2}, [b.port2]); b.port1.postMessage('hi');
      return await inner
    """
    assert run(script) == "hi"


@pytest.mark.parametrize("delay", ["2 ** 53", "2 ** 64", "Infinity", "1e300"])
def test_a_delay_past_all_numbers_is_a_long_one(run, io, delay):
    script = f"""
      return Promise.race([new Promise((done) => setTimeout(done, {delay}, 'fired')),
                           new Promise((done) => setTimeout(done, 1000, 'waits'))])
    """
    assert run(script) == "waits"


def test_timers_are_called_on_the_scope(run):
    assert run("return new Promise((done) => setTimeout(function () { done(this === globalThis) }))") is True


def test_options_of_wait(run):
    for options in ("5", "{ signal: null }", "{ signal: 5 }"):
        with pytest.raises(JSFailure, match="WaitOptions"):
            run(f"scheduler.wait(1, {options})")
    assert (
        run("return scheduler.wait(1, {}).then(() => scheduler.wait(1, null)).then(() => 'done')") == "done"
    )
