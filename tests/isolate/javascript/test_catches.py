"""What programs catch reads as on the platform, and nothing else changes."""

import pytest
from explaining import Explaining

from emulator.isolate.javascript.catches import LONGEST, instrument, original_position
from emulator.isolate.javascript.source import Source


@pytest.fixture(scope="module")
def explaining(tmp_path_factory: pytest.TempPathFactory) -> Explaining:
    return Explaining(tmp_path_factory.mktemp("explaining"))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("try { x } catch (e) { y }", "try { x } catch (e) {$cfwCaught(e); y }"),
        ("try { x } catch { y }", "try { x } catch ($cfwNone) {$cfwCaught($cfwNone); y }"),
        ("try { x } catch{}", "try { x } catch($cfwNone) {$cfwCaught($cfwNone);}"),
        ("try {} catch // c\n{\n}", "try {} catch // c\n($cfwNone) {$cfwCaught($cfwNone);\n}"),
        (
            "try {} catch { try {} catch { } }",
            "try {} catch ($cfwNone) {$cfwCaught($cfwNone); try {} catch ($cfwNone) {$cfwCaught($cfwNone); } }",
        ),
        ("p.catch(e => e); // catch (e) {", "p.catch(e => e); // catch (e) {"),
        ("try {} catch (e)\n// c\n{\n}", "try {} catch (e)\n// c\n{$cfwCaught(e);\n}"),
        (
            "try {} catch ({ message: m = 1 })\n{ m }",
            "try {} catch ($cfwError) {let { message: m = 1 }=$cfwCaught($cfwError);\n m }",
        ),
        ("try {} catch ({ m = y }) { let y }", "try {} catch ({ m = y }) { let y }"),
        ("try {} catch ({ [k]: m }) { let k }", "try {} catch ({ [k]: m }) { let k }"),
        ("try {} catch ([m = () => y]) { let y }", "try {} catch ([m = () => y]) { let y }"),
        ("$cfwCaught; try {} catch (e) {}", "$cfwCaught; try {} catch (e) {}"),
        (
            "`${(() => { try {} catch (e) {} })()} catch (e) {}`",
            "`${(() => { try {} catch (e) {$cfwCaught(e);} })()} catch (e) {}`",
        ),
        ("/catch (e) {/; // catch (e) {\n'catch (e) {'", "/catch (e) {/; // catch (e) {\n'catch (e) {'"),
        ("\ufefftry {} catch (e) {\r\n}\u2028'😀'", "\ufefftry {} catch (e) {$cfwCaught(e);\r\n}\u2028'😀'"),
        ("a: { try { } catch (e) { break a } }", "a: { try { } catch (e) {$cfwCaught(e); break a } }"),
        ("try { } catch (e) { nonsense", "try { } catch (e) { nonsense"),
        ("try {} catch (錯誤) {}", "try {} catch (錯誤) {$cfwCaught(錯誤);}"),
        (
            "try {} catch (a) { try {} catch (b) {} }",
            "try {} catch (a) {$cfwCaught(a); try {} catch (b) {$cfwCaught(b);} }",
        ),
    ],
)
def test_what_is_inserted(source: str, expected: str) -> None:
    assert instrument(source) == expected
    assert expected.count("\n") == source.count("\n")


def test_large_bundles_are_left_alone() -> None:
    source = "try {} catch (e) {}" + " " * LONGEST
    assert instrument(source) == source


@pytest.mark.parametrize(
    "source",
    [
        "try {} catch (e) { x.y } z.w;\nu",
        "try {} catch { x.y } z.w;\nu",
        "名; try {} catch\n{ x.y } z.w; try { q } catch{ s } t;\n u",
        "try {} catch ({ a, b: [c] }) { x.y } z.w;\nu",
        "名; try {} catch (e) { try { q } catch ({ r }) { s } } t;\nu",
        "try {} catch ({\n a\n})\n { x.y } z.w; try {} catch (e) { v }\nu",
    ],
)
def test_positions_lead_back(source: str) -> None:
    """Every name that stands outside of what was inserted is found where the user wrote it."""
    made = instrument(source)
    lines = made.split("\n")
    found = Source(source.encode())
    for name in ("x", "z", "q", "s", "t", "u", "v", "w"):
        spots = [(i + 1, line.rfind(f" {name}") + 2) for i, line in enumerate(lines) if f" {name}" in line]
        for line, column in spots:
            back = original_position(found, line, column)
            assert found.line(back[0])[back[1] - 1] == name


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("try { null.x } catch (e) { return e.message }", "Cannot read properties of null (reading 'x')"),
        (
            "try { null.x } catch ({ message }) { return message }",
            "Cannot read properties of null (reading 'x')",
        ),
        (
            "return await Promise.resolve().then(() => foo).catch(String)",
            "ReferenceError: foo is not defined",
        ),
        ("return await (async () => foo)().catch((e) => e.message)", "foo is not defined"),
        (
            "try { (function f() { f() })() } catch (e) { return String(e) }",
            "RangeError: Maximum call stack size exceeded",
        ),
        ("try { (function f() { f() })() } catch (e) { return e instanceof RangeError }", True),
        ("try { throw new TypeError('not a function') } catch (e) { return e.message }", "not a function"),
        ("try { null.x } catch (e) { return Object.keys(e).length }", 0),
        ("try { throw 5 } catch (e) { return e }", 5),
        ("try { throw null } catch (e) { return String(e) }", "null"),
        ("try { throw Object.freeze(new Error('f')) } catch (e) { return e.message }", "f"),
        ("try { throw new Proxy({}, { get() { throw 1 } }) } catch (e) { return typeof e }", "object"),
        ("return await Promise.resolve().then(() => foo).then(0, (e) => e.message)", "foo is not defined"),
        (
            "return (await Promise.allSettled([(async () => null.x)()]))[0].reason.message",
            "Cannot read properties of null (reading 'x')",
        ),
        (
            "return await Promise.race([(async () => null.x)()]).then(0, (e) => e.stack.split('\\n')[0])",
            "TypeError: Cannot read properties of null (reading 'x')",
        ),
        ("return await Promise.resolve(4).then().then(null, 5)", 4),
        (
            "return [Promise.prototype.then.length, Promise.prototype.then.name, String(Promise.prototype.then)].join()",
            "2,then,function then() { [native code] }",
        ),
        (
            "const seen = []; for (const v of [null, undefined, null]) { try { v.x } catch (e) { seen.push(e.message) } }\n"
            "return seen.map((text) => text.split(' ')[4]).join()",
            "null,undefined,null",
        ),
        (
            "try { try { new RegExp('(') } catch (e) { throw e } } catch (e) { return e.message }",
            "Invalid regular expression: /(/: Unterminated group",
        ),
        ("return await Promise.reject(3).catch((e) => e)", 3),
        ("return await Promise.resolve(4).catch(undefined)", 4),
        (
            "try { JSON.parse('{') } catch (e) { return e.name + e.message }",
            "SyntaxErrorExpected property name or '}' in JSON at position 1 (line 1 column 2)",
        ),
        (
            "const y = 1; try { throw {} } catch ({ x = y }) { let y = 2; return x }",
            1,
        ),
        (
            "function f() { try { a } catch (e) { b } try { c } catch ({ m }) { d } }\nreturn String(f)",
            "function f() { try { a } catch (e) { b } try { c } catch ({ m }) { d } }",
        ),
        (
            "function f() { try { a } catch { b } try { c } catch\n{ d } }\nreturn String(f)",
            "function f() { try { a } catch { b } try { c } catch\n{ d } }",
        ),
        ("return new Error('a').stack.split('\\n')[0]", "Error: a"),
        ("const e = new Error('a'); e.name = 'N'; e.message = 'b'; return e.stack.split('\\n')[0]", "N: a"),
        (
            "class E extends Error { get name() { throw 1 } }; return new E('a').stack.split('\\n')[0]",
            "Error",
        ),
        ("const e = new Error('a'); e.stack = undefined; return String(e.stack)", "undefined"),
        ("return String(Object.create(new Error('a')).stack)", "undefined"),
        ("return new DOMException('m', 'AbortError').stack.split('\\n')[0]", "AbortError: m"),
        (
            "class E extends TypeError {}; const e = new E('a', { cause: 2 }); return [e instanceof E, e.cause].join()",
            "true,2",
        ),
        (
            "return [TypeError('a') instanceof TypeError, Error.prototype.constructor === Error].join()",
            "true,true",
        ),
        ("return Reflect.construct(Error, ['a'], Map) instanceof Map", True),
        (
            "return [Error.length, Error.name, String(RangeError), Object.getPrototypeOf(RangeError) === Error].join()",
            "1,Error,function RangeError() { [native code] },true",
        ),
        (
            "Error.stackTraceLimit = 0; const e = new Error('a'); const s = e.stack; Error.stackTraceLimit = 10; return s",
            "Error: a",
        ),
        (
            "return [new DOMException('x'), new Error(), new Proxy(new Error(), {})].map(Error.isError).join()",
            "false,true,false",
        ),
        (
            "try { Response('hi') } catch (e) { return e.message }",
            "Failed to construct 'Response': Please use the 'new' operator, this object constructor cannot be "
            "called as a function.",
        ),
        (
            "const { randomUUID } = crypto; try { randomUUID() } catch (e) { return e.message }",
            "Illegal invocation: function called with incorrect `this` reference. See https://developers."
            "cloudflare.com/workers/observability/errors/#illegal-invocation-errors for details.",
        ),
        ("try { 1 in 2 } catch (e) { return e.message }", "Cannot use 'in' operator to search for '1' in 2"),
        ("return JSON.parse('[1,{\"a\":2}]', (k, v) => k === 'a' ? 3 : v)[1].a", 3),
        ("return [JSON.parse.length, JSON.stringify.length, JSON.parse.name].join()", "2,3,parse"),
        ("return JSON.stringify({ a: [1], b: undefined }, null, 1)", '{\n "a": [\n  1\n ]\n}'),
    ],
)
def test_what_programs_see(explaining: Explaining, code: str, value: object) -> None:
    got = explaining.value(code)
    assert (str(got) if isinstance(value, str) else got) == value


def test_stacks_are_v8s(explaining: Explaining) -> None:
    stack = explaining.value(
        "class K { m() { throw new Error('mine') } }\n"
        "try { [1].map(() => new K().m()) } catch (e) { return e.stack }"
    )
    first, *frames = str(stack).replace(str(explaining.root), "").split("\n")
    assert first == "Error: mine"
    assert [frame.split("(")[0].strip() for frame in frames[:1]] == ["at m"]
    assert frames[2] == "    at map (<anonymous>)"


def test_stacks_have_ten_frames(explaining: Explaining) -> None:
    stack = explaining.value("try { (function f() { f() })() } catch (e) { return e.stack }")
    assert len(str(stack).split("\n")) == 11


def test_deep_stacks_have_as_many_frames_as_are_asked_for(explaining: Explaining) -> None:
    code = """Error.stackTraceLimit = 2000;
    try { (function f() { f() })() } catch (e) { return e.stack.split('\\n').length }
    finally { Error.stackTraceLimit = 10 }"""
    assert explaining.value(code) == 2001


def test_rethrown_errors_are_explained_as_before(explaining: Explaining) -> None:
    report = explaining.report("try {\n  null.foo();\n} catch (e) { throw e }")
    assert report.exception == "TypeError: Cannot read properties of null (reading 'foo')"
    assert report.where is not None and (report.where.line, report.where.column) == (3, 7)


def test_what_is_caught_again_is_worded_once(explaining: Explaining) -> None:
    line = explaining.line("try { new RegExp('(') } catch (e) { throw e }")
    assert line == "SyntaxError: Invalid regular expression: /(/: Unterminated group"


def test_a_deep_stack_is_kept_for_reports(explaining: Explaining) -> None:
    report = explaining.report("try { (function f() { f() })() } catch (e) { throw e }")
    assert report.code == "js-recursion"


def test_catching_many_errors_takes_no_more_memory(explaining: Explaining) -> None:
    """The words for a place are kept, not those for each error."""
    code = "let n = 0; for (let i = 0; i < 20000; i++) { try { null.x } catch (e) { n += e.message.length } } return n"
    assert explaining.value(code) == 20000 * len("Cannot read properties of null (reading 'x')")
    runtime = explaining.engine.runtime
    before = runtime.compute_memory_usage()["malloc_size"]
    explaining.value(code)
    assert runtime.compute_memory_usage()["malloc_size"] - before < 200_000


def test_a_column_behind_an_insertion(explaining: Explaining) -> None:
    report = explaining.report("try { throw 1 } catch (e) { null.foo }")
    assert report.where is not None and report.where.column == 33


def test_a_column_behind_a_clause_without_a_name(explaining: Explaining) -> None:
    report = explaining.report("try { throw 1 } catch { null.foo }")
    assert report.where is not None and report.where.column == 29


def test_a_clause_without_a_name_tells_of_a_full_heap(explaining: Explaining) -> None:
    told: list[str] = []
    explaining.realm.platform.set("tellFull", explaining.engine.function(told.append, "tellFull"))
    explaining.value("try { throw null } catch { return 1 }")
    assert told == [""]
