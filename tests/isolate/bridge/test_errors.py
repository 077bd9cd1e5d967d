"""Errors across the boundary, in both directions, once and twice."""

from __future__ import annotations

from inside import inside, raises, run_js


@inside
def test_python_error_through_js_is_the_same_object():
    error = ValueError("boom")

    def fail():
        raise error

    try:
        run_js("(f) => f()")(fail)
    except ValueError as found:
        assert found is error
    else:
        raise AssertionError("nothing was raised")


@inside
def test_js_error_through_python_is_the_same_object():
    thrown = run_js("globalThis.kept = new TypeError('bad')")
    rethrow = run_js("() => { throw globalThis.kept }")
    same = run_js("(f) => { try { f() } catch (e) { return e === globalThis.kept } }")
    assert same(rethrow) and same(lambda: rethrow())

    def again():
        try:
            rethrow()
        except Exception as error:
            assert error == thrown
            raise

    assert same(again)
    assert same(lambda: (_ for _ in ()).throw(thrown))


@inside
def test_many_layers():
    error = KeyError("k")

    def fail():
        raise error

    through = run_js("(f) => { try { return f() } finally { } }")
    call = fail
    for _ in range(10):
        call = (lambda inner: lambda: through(inner))(call)
    try:
        call()
    except KeyError as found:
        assert found is error


@inside
def test_js_sees_python_error():
    look = run_js(
        "(f) => { try { f() } catch (e) { return [e instanceof Error, e.name, e.type, e.message, String(e)] } }"
    )

    def fail():
        raise ValueError("b\u0000öm 你好")

    is_error, name, kind, message, text = look(fail)
    assert (is_error, name, kind) == (True, "PythonError", "ValueError")
    assert (
        message.startswith("Traceback (most recent call last):") and "ValueError: b\u0000öm 你好" in message
    )
    assert text.startswith("PythonError: Traceback")


@inside
def test_causes_notes_and_groups_are_told():
    look = run_js("(f) => { try { f() } catch (e) { return e.message } }")

    def cause():
        try:
            raise KeyError("first")
        except KeyError as error:
            second = ValueError("second")
            second.add_note("a note")
            raise second from error

    message = look(cause)
    assert "KeyError: 'first'" in message and "direct cause" in message and "a note" in message

    def group():
        raise ExceptionGroup("several", [ValueError("one"), TypeError("two")])

    assert "ValueError: one" in look(group) and "TypeError: two" in look(group)


@inside
def test_an_error_is_both():
    from pyodide.ffi import JsException, JsProxy

    try:
        run_js("(() => { const e = new RangeError('no', {cause: 5}); e.code = 'E1'; throw e })")()
    except JsException as error:
        assert isinstance(error, JsProxy) and isinstance(error, Exception)
        assert (error.name, error.message, error.code, error.cause) == ("RangeError", "no", "E1", 5)
        assert str(error) == "RangeError: no" and error.stack
        assert error.constructor.name == "RangeError"
        error.extra = {"a": 1}
        assert error.extra == {"a": 1}
        assert error.__traceback__ is not None


@inside
def test_raising_js_errors():
    from js import Error

    try:
        raise Error.new("made here")
    except Exception as error:
        assert str(error) == "Error: made here"
    try:
        raise Error.new("x") from ValueError("why")
    except Exception as error:
        assert isinstance(error.__cause__, ValueError)
        error.add_note("noted")
        assert error.__notes__ == ["noted"]


@inside
def test_throwing_what_is_no_error():
    from pyodide.ffi import JsException

    for source, text in [
        ("'text'", "text"),
        ("5", "5"),
        ("undefined", "undefined"),
        ("null", "null"),
        ("({a: 1})", "[object Object]"),
        ("10n ** 30n", str(10**30)),
        ("Symbol('s')", "Symbol(s)"),
        ("false", "false"),
    ]:
        try:
            run_js(f"(() => {{ throw {source} }})")()
        except JsException as error:
            assert text in str(error), (source, str(error))
        else:
            raise AssertionError(f"throw {source} raised nothing")


@inside
def test_base_exceptions_cross_too():
    class Stop(BaseException):
        pass

    for error in (Stop(), GeneratorExit(), StopIteration(3), StopAsyncIteration()):

        def fail(error=error):
            raise error

        try:
            run_js("(f) => f()")(fail)
        except BaseException as found:
            assert found is error
        else:
            raise AssertionError(f"{error!r} was lost")


@inside
def test_js_may_swallow_and_replace():
    def fail():
        raise ValueError("lost")

    assert run_js("(f) => { try { f() } catch { return 'fine' } }")(fail) == "fine"
    try:
        run_js("(f) => { try { f() } catch (e) { throw new Error('other', {cause: e}) } }")(fail)
    except Exception as error:
        assert error.message == "other"
        assert "lost" in str(error.cause)


@inside
def test_an_error_that_cannot_be_shown():
    class Odd(Exception):
        def __str__(self):
            raise RuntimeError("no text")

    def fail():
        raise Odd

    assert run_js("(f) => { try { f() } catch (e) { return e.type } }")(fail) == Odd.__qualname__
    try:
        run_js("(() => { throw {toString() { throw 1 }} })")()
    except Exception as error:
        assert str(error)


@inside
def test_dom_exceptions_are_errors():
    from js import DOMException, structuredClone
    from pyodide.ffi import JsException

    try:
        structuredClone(run_js("() => 1"))
    except JsException as error:
        assert error.name == "DataCloneError" and isinstance(error.code, int)
    assert isinstance(DOMException.new("m", "AbortError"), JsException)


@inside
def test_pickle_and_copy_of_js_errors():
    import pickle

    from js import Error

    with raises(TypeError):
        pickle.dumps(Error.new("x"))
