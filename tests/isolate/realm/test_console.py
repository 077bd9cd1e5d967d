"""console and its format."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("'plain\\ntext'", "plain\ntext"),
        ("['a\\nb', \"it's\"]", "[ 'a\\nb', \"it's\" ]"),
        ("{a: [1, {b: {c: {d: 1}}}]}", "{ a: [ 1, { b: [Object] } ] }"),
        ("[1, , 3]", "[ 1, <1 empty item>, 3 ]"),
        ("[]", "[]"),
        ("{}", "{}"),
        ("{'a-b': undefined, [Symbol('s')]: null}", "{ 'a-b': undefined, Symbol(s): null }"),
        ("new Map([['a', {x: 1}]])", "Map(1) { 'a' => { x: 1 } }"),
        ("new Set([1, '2'])", "Set(2) { 1, '2' }"),
        ("() => 1", "[Function (anonymous)]"),
        ("async function f() {}", "[AsyncFunction: f]"),
        ("class B extends Map {}", "[class B extends Map]"),
        ("new (class Foo { x = -0 })()", "Foo { x: -0 }"),
        ("Object.create(null)", "[Object: null prototype] {}"),
        ("new Date(0)", "1970-01-01T00:00:00.000Z"),
        ("/x/g", "/x/g"),
        ("10n", "10n"),
        ("new Uint8Array([1, 2])", "Uint8Array(2) [ 1, 2 ]"),
        ("new ArrayBuffer(2)", "ArrayBuffer { [Uint8Contents]: <00 00>, byteLength: 2 }"),
        ("Promise.resolve(1)", "Promise { <fulfilled> }"),
        ("new Promise(() => {})", "Promise { <pending> }"),
        ("{get a() { return 1 }, set b(v) {}}", "{ a: [Getter], b: [Setter] }"),
        ("(() => { const o = {}; o.self = o; return o })()", "<ref *1> { self: [Circular *1] }"),
        ("new URLSearchParams('a=1')", "URLSearchParams(1) { 'a' => '1' }"),
        ("new Number(3)", "[Number: 3]"),
        ("{a: {b: {c: {}, d: []}}}", "{ a: { b: { c: {}, d: [] } } }"),
        ("Object.assign([1], {x: 1})", "[ 1, x: 1 ]"),
        ("Array(200).fill(7).length", "200"),
        ("Symbol('x')", "Symbol(x)"),
        ("'你好'", "你好"),
        ("['你好']", "[ '你好' ]"),
        ("{键: '值', $a: 1, b1_: 2, ['__proto__']: 3}", "{ '键': '值', '$a': 1, b1_: 2, ['__proto__']: 3 }"),
        ("[1, 2, 3, 4, 5, 6, 7]", "[\n  1, 2, 3, 4,\n  5, 6, 7\n]"),
        ("['a', 'b', 'c', 'd', 'e', 'f', 'g']", "[\n  'a', 'b', 'c',\n  'd', 'e', 'f',\n  'g'\n]"),
        ("[0, -1.5, -3, -4.5, -6, -7.5, 10n]", "[\n     0, -1.5,   -3,\n  -4.5,   -6, -7.5,\n   10n\n]"),
        ("[1, 2, 3, 4, 5, 6]", "[ 1, 2, 3, 4, 5, 6 ]"),
        (
            "new DataView(new ArrayBuffer(3), 1)",
            "DataView {\n  byteLength: 2,\n  byteOffset: 1,\n"
            "  buffer: ArrayBuffer { [Uint8Contents]: <00 00 00>, byteLength: 3 }\n}",
        ),
        ("{k: 'v'.repeat(60)}", "{ k: '" + "v" * 60 + "' }"),
        ("{k: 'v'.repeat(63)}", "{\n  k: '" + "v" * 63 + "'\n}"),
    ],
)
def test_inspect(run, io, value, text):
    run(f"console.log({value})")
    assert io.logs == [("log", text)]


def test_long_values_break_into_lines(run, io):
    run("console.log(Array.from({length: 120}, (_, i) => i))")
    lines = io.logs[0][1].splitlines()
    assert lines[0] == "["
    assert lines[1] == "   0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11,"
    assert lines[-2] == "  ... 20 more items"
    assert len(lines) == 12
    run("console.log({first: 'x'.repeat(50), second: 'y'.repeat(50)})")
    assert io.logs[1][1] == f"{{\n  first: '{'x' * 50}',\n  second: '{'y' * 50}'\n}}"


def test_errors(run, io):
    run("console.error(new TypeError('t', {cause: new Error('c')}))")
    level, text = io.logs[0]
    assert level == "error"
    lines = text.splitlines()
    assert lines[0] == "TypeError: t"
    assert lines[2] == "  [cause]: Error: c"
    assert lines[-1] == "}"


def test_names_of_errors(run, io):
    run("""
      class MyError extends Error {}
      const renamed = new Error('b'); renamed.name = 'Renamed'; renamed.code = 7;
      for (const e of [new MyError('a'), renamed, new AggregateError([1], 'c')]) console.log(e);
      const bare = new Error('d'); bare.stack = undefined; console.log(bare);
    """)
    texts = [text for _, text in io.logs]
    assert [text.splitlines()[0] for text in texts] == [
        "MyError: a",
        "Renamed: b",
        "AggregateError: c",
        "[Error: d]",
    ]
    assert texts[1].splitlines()[-2:] == ["  code: 7", "}"]
    assert texts[2].splitlines()[-2:] == ["  [errors]: [ 1 ]", "}"]


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ("'%s is %d years and %i, %f', 'Bob', 42.5, 42.9, '1.5'", "Bob is 42.5 years and 42, 1.5"),
        ("'%j %o %O %c|%%', {a: 1}, [1], {b: 2}, 'css'", '{"a":1} [ 1 ] { b: 2 } |%'),
        ("'100%', 5", "100% 5"),
        ("'%s', () => 1", "() => 1"),
        ("'%s'", "%s"),
        ("'a', 'b', {c: 1}", "a b { c: 1 }"),
        ("5, '%s'", "5 %s"),
        ("", ""),
    ],
)
def test_format(run, io, args, text):
    run(f"console.log({args})")
    assert io.logs == [("log", text)]


def test_levels(run, io):
    run("for (const m of ['debug', 'log', 'info', 'warn', 'error']) console[m](m)")
    assert io.logs == [(level, level) for level in ("debug", "log", "info", "warn", "error")]


def test_others(run, io):
    run("""
      console.assert(true); console.assert(false, 'no %s', 1); console.assert(false);
      console.count(); console.count('x'); console.count(); console.countReset(); console.count();
      console.group('g'); console.log('in\\nx'); console.groupEnd(); console.log('out');
      console.time('t'); console.timeEnd('t'); console.timeEnd('t'); console.dir({a: {b: {c: {d: 1}}}}, {depth: 0})
    """)
    texts = [text for _, text in io.logs]
    assert texts[:8] == [
        "Assertion failed: no 1", "Assertion failed", "default: 1", "x: 1", "default: 2", "default: 1", "g", "  in\n  x",
    ]  # fmt: skip
    assert texts[8] == "out"
    assert texts[9].startswith("t: ")
    assert texts[9].endswith("ms")
    assert texts[10:] == ["No such label 't' for console.timeEnd()", "{ a: [Object] }"]


def test_table(run, io):
    run("console.table([{a: 1, b: 'x'}, {a: 2}])")
    assert io.logs[0][1] == (
        "┌─────────┬───┬─────┐\n"
        "│ (index) │ a │ b   │\n"
        "├─────────┼───┼─────┤\n"
        "│ 0       │ 1 │ 'x' │\n"
        "│ 1       │ 2 │     │\n"
        "└─────────┴───┴─────┘"
    )


def test_trace_has_only_frames_of_the_worker(run, io):
    run("console.trace('here')")
    assert io.logs[0][1].startswith("Trace: here\n    at ")
    assert "cfw-emu" not in io.logs[0][1]


def test_console_is_a_plain_object(run):
    assert run("[console.constructor.name, Object.prototype.toString.call(console)]") == [
        "Object",
        "[object console]",
    ]


def test_lone_surrogates_do_not_reach_the_log(run, io):
    run("console.log('a\\ud800b', ['\\ud800'])")
    assert io.logs == [("log", "a\ufffdb [ '\\uD800' ]")]
