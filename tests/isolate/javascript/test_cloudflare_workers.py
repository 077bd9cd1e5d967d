"""``cloudflare:workers``: the classes, ``env`` and stubs. Expected values are workerd's, 2025-09-01."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from module_files import Project

IMPORT = "import * as c from 'cloudflare:workers';"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def evaluate(project: Project, body: str) -> Any:
    """What ``body`` returns in an async function of a module; an error comes as its text."""
    source = f"{IMPORT} export async function later() {{ {body} }}"
    outcome = project.later(project.load({"worker.js": source}))
    assert outcome, "it never settles"
    return outcome[1]


def test_names(project: Project) -> None:
    wanted = {
        "WorkerEntrypoint",
        "DurableObject",
        "RpcTarget",
        "RpcStub",
        "WorkflowEntrypoint",
        "env",
        "waitUntil",
    }
    assert wanted | {"withEnv", "exports", "cache"} <= set(evaluate(project, "return Object.keys(c)"))
    assert evaluate(project, "return [c.WorkerEntrypoint.name, c.WorkerEntrypoint.length]") == [
        "WorkerEntrypoint",
        0,
    ]
    assert evaluate(project, "return Object.getOwnPropertyNames(c.WorkerEntrypoint.prototype)") == [
        "constructor"
    ]


@pytest.mark.parametrize("name", ["WorkerEntrypoint", "WorkflowEntrypoint", "DurableObject"])
def test_entrypoints_keep_ctx_and_env_as_own_properties(project: Project, name: str) -> None:
    body = f"""class A extends c.{name} {{ f = 5 }}
    const ctx = {{}}, env = {{}}, a = new A(ctx, env);
    return [Object.keys(a), a.ctx === ctx, a.env === env, a instanceof c.{name},
            Object.getOwnPropertyDescriptor(a, "env").writable];"""
    assert evaluate(project, body) == [["ctx", "env", "f"], True, True, True, True]


@pytest.mark.parametrize(
    ("expression", "tag"),
    [
        ("c.WorkerEntrypoint", "WorkerEntrypoint"),
        ("c.RpcTarget", "JsRpcTarget"),
        ("c.DurableObject", "DurableObjectBase"),
        ("c.RpcStub", "JsRpcStub"),
        ("c.WorkflowEntrypoint", "WorkflowEntrypoint"),
    ],
)
def test_tags(project: Project, expression: str, tag: str) -> None:
    body = f"return Object.prototype.toString.call({expression}.prototype)"
    assert evaluate(project, body) == f"[object {tag}]"


@pytest.mark.parametrize(
    ("expression", "error"),
    [
        (
            "new c.WorkerEntrypoint()",
            "TypeError: Failed to construct 'WorkerEntrypoint': constructor parameter 1 is not of type 'Object'.",
        ),
        (
            "new c.WorkerEntrypoint({}, 5)",
            "TypeError: Failed to construct 'WorkerEntrypoint': constructor parameter 2 is not of type 'Object'.",
        ),
        (
            "new c.DurableObject()",
            "TypeError: Failed to construct 'DurableObjectBase': "
            "constructor parameter 1 is not of type 'DurableObjectState'.",
        ),
        (
            "new c.RpcStub(5)",
            "TypeError: Failed to construct 'JsRpcStub': constructor parameter 1 is not of type 'Object'.",
        ),
        ("new c.RpcPromise()", "TypeError: Illegal constructor"),
        ("new c.ServiceStub()", "TypeError: Illegal constructor"),
        (
            "c.withEnv({})",
            "TypeError: Failed to execute 'withEnv' on 'EnvModule': parameter 2 is not of type 'function'.",
        ),
        (
            "c.waitUntil()",
            "TypeError: Failed to execute 'waitUntil' on 'EntrypointsModule': parameter 1 is not of type 'Promise'.",
        ),
    ],
)
def test_misuse_throws_the_platform_s_words(project: Project, expression: str, error: str) -> None:
    assert evaluate(project, expression) == error


def with_env(project: Project, source: str, env: str = '{"V": "v", "N": {"x": 1}}') -> Any:
    """Like ``evaluate``, with ``env`` set as the isolate does it."""
    namespace = project.load({"worker.js": f"{IMPORT} export async function later() {{ {source} }}"})
    module = project.realm.platform.get("workersModule")
    module.set("env", project.realm.engine.context.parse_json(env))
    return project.later(namespace)[1]


def test_env_shows_the_bindings(project: Project) -> None:
    body = "return [c.env.V, Object.keys(c.env), 'V' in c.env, c.env.nope === undefined, {...c.env}]"
    assert with_env(project, body) == ["v", ["V", "N"], True, True, {"V": "v", "N": {"x": 1}}]


def test_env_is_writable(project: Project) -> None:
    assert (
        with_env(project, "c.env.Z = 3; delete c.env.V; return JSON.stringify(c.env)")
        == '{"N":{"x":1},"Z":3}'
    )


def test_with_env(project: Project) -> None:
    body = """const inner = c.withEnv({ V: "inner" }, (...args) => [c.env.V, Object.keys(c.env), args.length]);
    let thrown; try { c.withEnv({}, () => { throw new Error("t") }) } catch (e) { thrown = e.message }
    return [inner, thrown, c.withEnv(5, () => c.env.V), c.env.V];"""
    assert with_env(project, body) == [["inner", ["V"], 0], "t", "v", "v"]


def test_env_without_an_isolate_is_empty(project: Project) -> None:
    assert evaluate(project, "return [Object.keys(c.env), c.env.x === undefined]") == [[], True]


def test_wait_until_goes_to_the_isolate(project: Project) -> None:
    namespace = project.load(
        {"worker.js": f"{IMPORT} export const later = async () => String(c.waitUntil(Promise.resolve(1)));"}
    )
    given: list[bool] = []
    function = project.realm.engine.function(lambda promise: given.append(promise.is_promise), "waitUntil")
    project.realm.platform.get("workersModule").set("waitUntil", function)
    assert project.later(namespace) == [True, "undefined"]
    assert given == [True]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "const s = new c.RpcStub({ a: 1, f() { return 7 } });"
            "return [typeof s, await s.a, await s.f(), s instanceof c.RpcStub]",
            ["function", 1, 7, True],
        ),
        ("return await new c.RpcStub((x) => x + 1)(2)", 3),
        (
            "class T extends c.RpcTarget { n = 1; get g() { return 4 } m(x) { return x * 2 } }"
            "const s = new c.RpcStub(new T()); return [await s.m(4), await s.g, await s.n.catch(String)]",
            [8, 4, 'TypeError: The RPC receiver does not implement the method "n".'],
        ),
        (
            "class T extends c.RpcTarget { child() { return new T() } name() { return 'T' } }"
            "return await new c.RpcStub(new T()).child().child().name()",
            "T",
        ),
        (
            "const o = { d: { x: [1] } }; const d = await new c.RpcStub(o).d; return [d, d === o.d]",
            [{"x": [1]}, False],
        ),
        ("return await new c.RpcStub({ a: { b: { c: 5 } } }).a.b.c", 5),
        ("return await new c.RpcStub({ f(g) { return g(2) } }).f((x) => x * 3)", 6),
        ("const s = new c.RpcStub({ a: 1 }); const d = s.dup(); s[Symbol.dispose](); return await d.a", 1),
        (
            "return await new c.RpcStub({ f() { throw new RangeError('r') } }).f().catch(String)",
            "RangeError: r",
        ),
        (
            "return await new c.RpcStub({}).nope().catch(String)",
            'TypeError: The RPC receiver does not implement the method "nope".',
        ),
        (
            "return await new c.RpcStub({}).toString().catch(String)",
            'TypeError: The RPC receiver does not implement the method "toString".',
        ),
        ("return await (await new c.RpcStub({ f(x) { return x } }).f(new Response('body'))).text()", "body"),
        (
            "return await new c.RpcStub({ f: (x) => x }).f(new (class Own {})()).catch(String)",
            'DataCloneError: Could not serialize object of type "Own". This type does not support serialization.',
        ),
        (
            "return await new c.RpcStub({ f: () => ({ s: Symbol('q') }) }).f().catch(String)",
            "DataCloneError: Symbol(q) could not be cloned.",
        ),
        (
            "return await new c.RpcStub({ f: (x) => x }).f(function* () {}()).catch(String)",
            "DataCloneError: [object Generator] could not be cloned.",
        ),
        (
            "const m = await new c.RpcStub({ f: (x) => x }).f(new Map([[1, [new Date(5)]]])); return +m.get(1)[0]",
            5,
        ),
    ],
)
def test_stubs(project: Project, body: str, expected: Any) -> None:
    assert evaluate(project, body) == expected


THROWS = """
const throwing = (value) => new c.RpcStub({ f() { throw value } }).f().catch((error) => error);
const show = (e) => [e instanceof Error, e.name, e.message, e.remote, e.extra === undefined];
"""


def test_errors_that_come_from_the_other_side(project: Project) -> None:
    body = (
        THROWS
        + """
    class Own extends Error { name = "Own" }
    const original = new RangeError("r");
    const got = await throwing(original);
    return [show(got), got === original, show(await throwing(new Own("o"))), show(await throwing("text")),
            show(await throwing(null)), show(await throwing(Object.assign(new Error("m"), { extra: 1 }))),
            show(await throwing(Object.assign(new Error("m"), { f() {} }))), (await throwing({ a: 1 })).a]
    """
    )
    assert evaluate(project, body) == [
        [True, "RangeError", "r", True, True],
        False,
        [True, "Own", "o", True, True],
        [True, "Error", "text", True, True],
        [True, "Error", "null", True, True],
        [True, "Error", "m", True, False],
        [True, "Error", "m", True, True],
        1,
    ]


def test_errors_under_older_dates(project: Project) -> None:
    body = (
        THROWS
        + """
    class Own extends Error { name = "Own" }
    const copy = structuredClone(Object.assign(new TypeError("t"), { extra: 1 }));
    return [show(await throwing(new Own("o"))), show(await throwing(Object.assign(new Error("m"), { extra: 1 }))),
            show(await throwing({ a: 1 })), [copy.name, copy.message, copy.extra === undefined]]
    """
    )
    namespace = project.load({"worker.js": f"{IMPORT} export async function later() {{ {body} }}"})
    project.realm.platform.get("older").set("enhanced_error_serialization", True)
    assert project.later(namespace)[1] == [
        [True, "Error", "Own: o", True, True],
        [True, "Error", "m", True, True],
        [True, "Error", "#<Object>", True, True],
        ["TypeError", "t", True],
    ]


DISPOSABLE = """
let gone = 0;
class T extends c.RpcTarget { hi() { return "hi" } sub() { return new T() } [Symbol.dispose]() { gone++ } }
const later = () => new Promise((done) => queueMicrotask(() => queueMicrotask(() => queueMicrotask(done))));
const tried = (call) => call().then(String, String);
"""
USED = "Error: RPC stub used after being disposed."


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "const s = new c.RpcStub(new T()), d = s.dup(); s[Symbol.dispose](); await later(); const first = gone;"
            "const answers = [await tried(() => s.hi()), await tried(() => d.hi())];"
            "s[Symbol.dispose](); d[Symbol.dispose](); await later(); return [first, ...answers, gone, await tried(() => d.hi())]",
            [0, USED, "hi", 1, USED],
        ),
        (
            "const sub = await new c.RpcStub(new T()).sub(); const answer = await sub.hi(); sub[Symbol.dispose]();"
            "await later(); return [answer, gone, await tried(() => sub.hi())]",
            ["hi", 1, USED],
        ),
        (
            "const o = await new c.RpcStub({ f: () => ({ a: 1, t: new T() }) }).f(); const answer = await o.t.hi();"
            "o[Symbol.dispose](); await later(); return [Object.keys(o), answer, gone, await tried(() => o.t.hi())]",
            [["a", "t"], "hi", 1, USED],
        ),
        (
            "const f = new c.RpcStub(() => 1); f[Symbol.dispose](); return await tried(() => f())",
            USED,
        ),
        (
            "let kept, dup; const s = new c.RpcStub({ async f(g) { kept = g; dup = g.dup(); await null; return g(3) } });"
            "const answer = await s.f((x) => x * 2); return [answer, await tried(() => kept(1)), await dup(5)]",
            [6, USED, 10],
        ),
        (
            "const s = new c.RpcStub(new T()); s[Symbol.dispose]();"
            "try { s.dup() } catch (error) { return String(error) }",
            USED,
        ),
    ],
)
def test_disposal_of_stubs(project: Project, body: str, expected: Any) -> None:
    assert evaluate(project, DISPOSABLE + body) == expected
