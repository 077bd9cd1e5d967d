"""Event, EventTarget, AbortController and AbortSignal, DOMException."""

from __future__ import annotations

import pytest

from .conftest import JSFailure, Undefined


def test_listeners(run):
    script = """
      const t = new EventTarget(); const log = [];
      const f = (e) => log.push(e.type, e.target === t, e.eventPhase);
      t.addEventListener('x', f); t.addEventListener('x', f);
      t.addEventListener('x', {handleEvent(e) { log.push('object', this.handleEvent !== undefined) }}, {once: true});
      t.onx = () => log.push('on');
      t.dispatchEvent(new Event('x')); t.removeEventListener('x', f); t.dispatchEvent(new Event('x'));
      return log
    """
    assert run(script) == ["on", "x", True, 2, "object", True, "on"]


def test_cancelling(run):
    script = """
      const t = new EventTarget(); const log = [];
      t.addEventListener('a', (e) => { e.preventDefault(); e.stopImmediatePropagation() });
      t.addEventListener('a', () => log.push('never'));
      const e = new Event('a', {cancelable: true});
      log.push(t.dispatchEvent(e), e.defaultPrevented, e.composedPath().length, e.isTrusted);
      log.push(t.dispatchEvent(new Event('a')));
      t.addEventListener('b', () => true);
      log.push(t.dispatchEvent(new Event('b', {cancelable: true})));
      return log
    """
    assert run(script) == [False, True, 0, False, False, False]


def test_a_listener_that_throws_ends_the_dispatch(run):
    script = """
      const t = new EventTarget(); const log = [];
      t.addEventListener('x', () => { throw new RangeError('first') });
      t.addEventListener('x', () => log.push('second'));
      const e = new Event('x');
      try { t.dispatchEvent(e) } catch (error) { log.push(error.message) }
      try { t.dispatchEvent(e) } catch (error) { log.push(error.message) }
      return log
    """
    assert run(script) == ["first", "first"]


def test_an_event_under_way_cannot_be_dispatched(run):
    script = "const t = new EventTarget(); t.addEventListener('x', (e) => t.dispatchEvent(e)); t.dispatchEvent(new Event('x'))"
    with pytest.raises(JSFailure, match="InvalidStateError: The event is already being dispatched"):
        run(script)


def test_options(run):
    for options in ("true", "{capture: true}"):
        with pytest.raises(JSFailure, match="TypeError: addEventListener"):
            run(f"new EventTarget().addEventListener('x', () => {{}}, {options})")
    script = """
      const t = new EventTarget(); const c = new AbortController(); let calls = 0;
      t.addEventListener('x', () => calls++, {signal: c.signal});
      t.dispatchEvent(new Event('x')); c.abort(); t.dispatchEvent(new Event('x'));
      t.addEventListener('x', () => calls++, {signal: c.signal}); t.dispatchEvent(new Event('x'));
      return calls
    """
    assert run(script) == 1


def test_event_classes(run):
    script = """
      [new CustomEvent('a', {detail: 5}).detail, new CustomEvent('a').detail === undefined,
       new ErrorEvent('e', {message: 'm', lineno: 3}).lineno, new MessageEvent('m', {data: [1]}).data,
       String(new CustomEvent('a')),
       new CloseEvent('close', {code: 1000, wasClean: true}).code, Event.AT_TARGET]
    """
    assert run(script) == [5, True, 3, [1], "[object CustomEvent]", 1000, 2]
    with pytest.raises(JSFailure, match="TypeError"):
        run("new Event()")
    with pytest.raises(JSFailure, match="Illegal invocation"):
        run("Event.prototype.type")


def test_the_scope_is_an_event_target(run, io):
    script = """
      addEventListener('foo', (e) => console.log(e.target === globalThis && self === globalThis), {once: true});
      dispatchEvent(new Event('foo')); self.dispatchEvent(new Event('foo'));
      return globalThis instanceof EventTarget
    """
    assert run(script) is True
    assert io.logs == [("log", "true")]


def test_report_error(run, io):
    run("reportError(new Error('one'))")
    run(
        "addEventListener('error', (e) => { console.warn(e.message, e.error.message); e.preventDefault() }); reportError(new Error('two'))"
    )
    assert [(level, text.splitlines()[0]) for level, text in io.logs] == [
        ("error", "Uncaught Error: one"),
        ("warn", "Uncaught Error: two two"),
    ]


def test_the_event_of_an_error_tells_its_place(run):
    script = """
      const seen = [];
      addEventListener('error', (e) => { seen.push([e.message, e.filename !== '', e.lineno > 0, e.colno > 0, e.cancelable]); e.preventDefault() });
      reportError(new RangeError('q')); reportError('text'); reportError({ a: 1 }); reportError(undefined);
      return seen.map((one) => one.join())
    """
    assert run(script) == [
        f"Uncaught {text},true,true,true,false"
        for text in ("RangeError: q", "text", "#<Object>", "undefined")
    ]


def test_errors_of_timers_are_no_event(run, io):
    script = """
      const seen = []; addEventListener('error', (e) => { seen.push(e.error); e.preventDefault() });
      setTimeout(() => { throw 'timer' }); queueMicrotask(() => { throw 'microtask' });
      await scheduler.wait(5);
      return seen
    """
    assert run(script) == ["microtask"]
    assert [text for _, text in io.logs] == ["Uncaught 'timer'"]


def test_an_attribute_listens_in_its_turn(run):
    script = """
      const log = []; const c = new AbortController();
      c.signal.addEventListener('abort', () => log.push(1));
      c.signal.onabort = () => log.push('never'); c.signal.onabort = () => log.push(2);
      c.signal.addEventListener('abort', () => log.push(3));
      c.abort();
      const other = new AbortController(); other.signal.onabort = () => log.push('gone'); other.signal.onabort = null;
      other.abort();
      return log
    """
    assert run(script) == [1, 2, 3]


def test_signals_that_follow_are_aborted_before_any_listener_runs(run):
    script = """
      const c = new AbortController(); const b = AbortSignal.any([c.signal]); const d = AbortSignal.any([b]); const log = [];
      d.addEventListener('abort', () => log.push('d')); b.addEventListener('abort', () => log.push('b'));
      c.signal.addEventListener('abort', () => log.push('c', b.aborted, d.aborted, d.reason));
      c.abort(7);
      return log
    """
    assert run(script) == ["c", True, True, 7, "b", "d"]


def test_classes_that_only_the_platform_makes(run):
    for code in (
        "new PromiseRejectionEvent('x')",
        "new ServiceWorkerGlobalScope()",
        "new WorkerGlobalScope()",
    ):
        with pytest.raises(JSFailure, match="Illegal constructor"):
            run(code)


def test_parameters_that_are_missing_or_wrong(run):
    for name, initializer in {
        "Event": "Init",
        "CustomEvent": "CustomEventInit",
        "ErrorEvent": "ErrorEventInit",
        "MessageEvent": "Initializer",
        "CloseEvent": "Initializer",
    }.items():
        with pytest.raises(
            JSFailure, match=f"construct '{name}': constructor parameter 1 is not of type 'string'"
        ):
            run(f"new {name}()")
        with pytest.raises(JSFailure, match=f"parameter 2 is not of type '{initializer}'"):
            run(f"new {name}('x', 5)")
    for method in ("addEventListener", "removeEventListener"):
        with pytest.raises(JSFailure, match=f"execute '{method}' on 'EventTarget': parameter 1"):
            run(f"new EventTarget().{method}()")
    with pytest.raises(JSFailure, match="'signal' field on 'AddEventListenerOptions'"):
        run("new EventTarget().addEventListener('x', () => {}, { signal: null })")
    with pytest.raises(JSFailure, match="parameter 1 is not of type 'Array'"):
        run("AbortSignal.any(new Set())")
    assert run("new EventTarget().addEventListener('x', undefined)") is Undefined


def test_abort(run):
    script = """
      const c = new AbortController(); const log = [];
      c.signal.onabort = (e) => log.push(e.type, e.isTrusted); c.abort(); c.abort('again');
      return [...log, c.signal.aborted, c.signal.reason.name, c.signal.reason.message, c.signal.reason.code,
              c.signal === c.signal, AbortSignal.abort('r').reason, new AbortController().signal.reason]
    """
    assert run(script) == [
        "abort",
        True,
        True,
        "AbortError",
        "The operation was aborted",
        20,
        True,
        "r",
        Undefined,
    ]
    with pytest.raises(JSFailure, match="boom"):
        run("AbortSignal.abort(new Error('boom')).throwIfAborted()")
    with pytest.raises(JSFailure, match="Illegal constructor"):
        run("new AbortSignal()")


def test_abort_timeout_and_any(run, io):
    script = """
      const t = AbortSignal.timeout(50); const c = new AbortController(); const any = AbortSignal.any([t, c.signal]);
      const early = any.aborted; await scheduler.wait(60); c.abort();
      return [early, any.aborted, any.reason === t.reason, t.reason.name, t.reason.message, AbortSignal.any([]).aborted,
              AbortSignal.any([AbortSignal.abort(7)]).reason]
    """
    message = "The operation was aborted due to timeout"
    assert run(script) == [False, True, True, "TimeoutError", message, False, 7]
    assert io.now == 60


def test_dom_exception(run):
    script = """
      const e = new DOMException('m', 'DataCloneError');
      return [e.code, e.name, e.message, `${e}`, e instanceof Error, Object.prototype.toString.call(e), typeof e.stack,
              new DOMException().name, new DOMException('a', {name: 'N', cause: 5}).cause, new DOMException('a', 'N').code,
              DOMException.DATA_CLONE_ERR, DOMException.INUSE_ATTRIBUTE_ERR, e.URL_MISMATCH_ERR, e.DOMSTRING_SIZE_ERR,
              Object.keys(e)]
    """
    expected = [25, "DataCloneError", "m", "DataCloneError: m", True, "[object DOMException]", "string"]
    assert run(script) == [*expected, "Error", 5, 0, 25, 10, 21, 2, []]


def test_a_listener_that_returns_something_is_told_once(run, io):
    run(
        "const t = new EventTarget(); t.onx = async () => {}; t.dispatchEvent(new Event('x')); t.dispatchEvent(new Event('x'))"
    )
    assert io.logs == [
        (
            "warn",
            "An event handler returned a promise that will be ignored. Event handlers should not have a return value and should "
            "not be async functions.",
        )
    ]
