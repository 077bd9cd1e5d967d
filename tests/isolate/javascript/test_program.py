"""JavaScript Workers in an isolate: handlers, responses, the life of an event, what fails."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from isolates import ForkedIsolates, LoadError, LoadWorker, fetching


def test_an_object_of_handlers(serve: LoadWorker) -> None:
    isolate = serve(
        """
        export default {
          greeting: "你好",
          async fetch(request, env, ctx) {
            const url = new URL(request.url);
            return new Response(`${this.greeting} ${request.method} ${url.pathname} ${await request.text()} ${env.WHO}`,
              { status: 201, headers: { "X-A": "1" } });
          },
          async scheduled() {},
        };
        """,
        variables={"WHO": "世界"},
    )
    reply = isolate.fetch("POST", "/a?b=c", body=b"body")
    assert reply.text == "你好 POST /a body 世界"
    assert reply.status == 201
    assert ("X-A", "1") in [(name.title(), value) for name, value in reply.headers]


def test_handlers_that_are_offered(isolates: ForkedIsolates, serve: LoadWorker) -> None:
    isolate = serve("export default { fetch() {}, scheduled() {}, queue: 5, helper() {} }")
    assert isolate.loaded.result().handlers == ["fetch", "scheduled"]


def test_a_class(serve: LoadWorker) -> None:
    isolate = serve(
        """
        import { WorkerEntrypoint } from "cloudflare:workers";
        export default class extends WorkerEntrypoint {
          count = 0;
          async fetch(request) {
            this.count += 1;
            return Response.json({ who: this.env.WHO, count: this.count, wait: typeof this.ctx.waitUntil });
          }
        }
        """,
        variables={"WHO": "me"},
    )
    for _ in range(2):
        assert isolate.fetch().json == {"who": "me", "count": 1, "wait": "function"}


def test_env_is_importable(serve: LoadWorker) -> None:
    isolate = serve(
        """
        import { env } from "cloudflare:workers";
        const who = env.WHO;
        export default { fetch: () => new Response(who) };
        """,
        variables={"WHO": "me"},
    )
    assert isolate.fetch().text == "me"


def test_a_synchronous_handler(serve: LoadWorker) -> None:
    assert serve("export default { fetch: () => new Response('at once') }").fetch().text == "at once"


def test_a_thenable(serve: LoadWorker) -> None:
    source = "export default { fetch: () => ({ then(done) { done(new Response('later')) } }) }"
    assert serve(source).fetch().text == "later"


def test_state_of_a_module_lives_on(serve: LoadWorker) -> None:
    isolate = serve("let n = 0; export default { fetch: () => new Response(String(++n)) }")
    assert [isolate.fetch().text for _ in range(3)] == ["1", "2", "3"]


def test_bytes_no_body_and_a_stream(serve: LoadWorker) -> None:
    isolate = serve(
        fetching("""
        const { pathname } = new URL(request.url);
        if (pathname === "/bytes") return new Response(new Uint8Array([0, 255, 7]));
        if (pathname === "/none") return new Response(null, { status: 204 });
        const { readable, writable } = new TransformStream();
        const writer = writable.getWriter();
        ctx.waitUntil((async () => {
          for (const part of ["a", "b", "c"]) await writer.write(new TextEncoder().encode(part));
          await writer.close();
        })());
        return new Response(readable);
        """)
    )
    assert isolate.fetch("GET", "/bytes").body == b"\x00\xff\x07"
    assert isolate.fetch("GET", "/none").status == 204
    assert isolate.fetch("GET", "/stream").text == "abc"


def test_a_streamed_request_body(serve: LoadWorker) -> None:
    isolate = serve(fetching("return new Response(request.body.pipeThrough(new TransformStream()));"))
    upload = isolate.upload()
    exchange = isolate.begin("POST", "/", body=upload)
    isolate.wait(upload.write(b"x" * 1000))
    upload.close()
    assert exchange.reply().text == "x" * 1000


def test_wait_until_extends_the_event(serve: LoadWorker) -> None:
    isolate = serve(
        fetching("""
        ctx.waitUntil(new Promise((done) => setTimeout(() => { console.log("later"); done(); }, 30)));
        return new Response("first");
        """)
    )
    reply = isolate.fetch()
    assert reply.text == "first"
    assert "later" in reply.lines


def test_timers_end_with_their_event(serve: LoadWorker) -> None:
    isolate = serve(
        fetching("""
        if (request.url.endsWith("/wait")) await new Promise((done) => setTimeout(done, 150));
        else setInterval(() => console.log("tick"), 20);
        return new Response("ok");
        """)
    )
    isolate.fetch()
    isolate.fetch("GET", "/wait")
    assert not [log for log in isolate.logs if "tick" in log.text]


def test_concurrent_events_keep_their_own_context(serve: LoadWorker) -> None:
    isolate = serve(
        fetching("""
        const { pathname } = new URL(request.url);
        console.log(`start ${pathname}`);
        await new Promise((done) => setTimeout(done, 30));
        console.log(`end ${pathname}`);
        return new Response(pathname);
        """)
    )
    replies = [exchange.reply() for exchange in [isolate.begin("GET", f"/{n}") for n in range(5)]]
    for number, reply in enumerate(replies):
        assert reply.text == f"/{number}"
        assert reply.lines == [f"start /{number}", f"end /{number}"]


def test_subrequests(serve: LoadWorker) -> None:
    isolate = serve(
        fetching("const r = await fetch('http://example.com/x'); return new Response(await r.text());")
    )
    assert isolate.fetch().text == "nothing is at http://example.com/x"


def test_an_error_is_told_with_its_line(serve: LoadWorker) -> None:
    source = "export default {\n  async fetch(request) {\n    const o = undefined;\n    return o.field;\n  },\n};\n"
    isolate = serve(source)
    report = isolate.fetch().report
    assert report is not None and report.where is not None
    assert report.exception == "TypeError: Cannot read properties of undefined (reading 'field')"
    assert (Path(report.where.file).name, report.where.line) == ("worker.js", 4)
    assert report.where.source.strip() == "return o.field;"
    assert isolate.fetch().report is not None, "the isolate lives on"


@pytest.mark.parametrize("returned", ["undefined", "'text'", "{ a: 1 }", "null", "5", "[]", "new Date()"])
def test_no_response(serve: LoadWorker, returned: str) -> None:
    report = serve(fetching(f"return ({returned});")).fetch().report
    assert report is not None
    assert report.code == "js-not-a-response"


@pytest.mark.parametrize(
    "thrown", ["undefined", "null", "'text'", "{ a: 1 }", "Symbol('s')", "10n", "new Error('你好')"]
)
def test_anything_can_be_thrown(serve: LoadWorker, thrown: str) -> None:
    isolate = serve(fetching(f"throw ({thrown});"))
    assert isolate.fetch().report is not None
    assert isolate.fetch().report is not None


def test_a_handler_that_hangs(serve: LoadWorker) -> None:
    isolate = serve(
        fetching("if (request.url.endsWith('/ok')) return new Response('ok'); await new Promise(() => {});")
    )
    report = isolate.fetch().report
    assert report is not None and report.code == "hung"
    assert isolate.fetch("GET", "/ok").text == "ok"


def test_unhandled_rejections_are_told(serve: LoadWorker) -> None:
    isolate = serve(
        fetching("""
        Promise.reject(new Error("nobody looks"));
        const late = Promise.reject(new Error("somebody looks"));
        late.catch(() => {});
        return new Response("ok");
        """)
    )
    exchange = isolate.begin()
    assert exchange.reply().text == "ok"
    isolate.until(lambda: exchange.explained)
    told = exchange.explained
    assert len(told) == 1 and "nobody looks" in told[0].exception


def test_rejected_promises_do_not_take_each_others_place(serve: LoadWorker) -> None:
    """A promise that nobody holds is freed at once, and the next one may get its address."""
    isolate = serve(
        fetching("""
        Promise.reject(new Error("lost"));
        for (let i = 0; i < 10; i++) Promise.reject(new Error("seen")).catch(() => {});
        return new Response("ok");
        """)
    )
    exchange = isolate.begin()
    assert exchange.reply().text == "ok"
    isolate.until(lambda: exchange.explained)
    assert ["lost" in report.exception for report in exchange.explained] == [True]


def test_an_empty_body_is_a_body(serve: LoadWorker) -> None:
    isolate = serve(fetching("return new Response(`${request.body} ${(await request.text()).length}`)"))
    assert isolate.fetch("POST", "/", headers=[("content-length", "0")]).text == "[object ReadableStream] 0"
    assert isolate.fetch("POST", "/").text == "null 0"
    assert isolate.fetch("POST", "/", headers=[("x-a", "content-length")]).text == "null 0"


def test_promises_of_a_class_of_the_worker_are_asked(serve: LoadWorker) -> None:
    isolate = serve("""
        class Doubled extends Promise {
          then(done, failed) { return super.then((value) => done(new Response(`${value} twice`)), failed); }
        }
        export default { fetch() { return Doubled.resolve("once"); } };
        """)
    assert isolate.fetch("GET", "/").text == "once twice"


def test_what_waits_when_the_handler_returns_comes_first(serve: LoadWorker) -> None:
    isolate = serve(
        fetching("""
        const response = new Response("ok");
        Promise.resolve().then(() => response.headers.set("x-late", "no"));
        return response;
        """)
    )
    assert ("x-late", "no") in [(name.lower(), value) for name, value in isolate.fetch("GET", "/").headers]


@pytest.mark.parametrize("body", ["throw new Error('boom')", "return Promise.reject(new Error('boom'))"])
def test_a_handler_that_fails_at_once(serve: LoadWorker, body: str) -> None:
    report = serve(fetching(body)).fetch("GET", "/").report
    assert report is not None
    assert "boom" in report.exception


def test_a_weak_reference_lasts_until_the_end_of_the_job(serve: LoadWorker) -> None:
    isolate = serve(
        fetching("""
        const kept = new WeakRef({ a: 1 });
        const seen = [typeof kept.deref(), kept instanceof WeakRef];
        await null; await null;
        seen.push(kept.deref());
        return Response.json(seen);
        """)
    )
    assert isolate.fetch().text == '["object",true,null]'


def test_a_client_that_leaves(serve: LoadWorker) -> None:
    isolate = serve(
        fetching("""
        if (request.url.endsWith("/ok")) return new Response("ok");
        ctx.waitUntil(new Promise((done) => setTimeout(() => { console.log("kept"); done(); }, 50)));
        console.log("begun");
        await new Promise((done) => setTimeout(done, 10_000));
        return new Response("never");
        """)
    )
    exchange = isolate.begin()
    exchange.wait_for_log("begun")
    exchange.abort()
    isolate.wait(exchange.done)
    assert [log.text for log in exchange.logs] == ["begun", "kept"]
    assert isolate.fetch("GET", "/ok").text == "ok"


def test_a_stream_whose_client_leaves(serve: LoadWorker) -> None:
    isolate = serve(
        fetching("""
        if (request.url.endsWith("/ok")) return new Response("ok");
        const { readable, writable } = new TransformStream();
        const writer = writable.getWriter();
        (async () => { try { for (;;) await writer.write(new Uint8Array(50_000)); } catch (e) { console.log("stopped"); } })();
        return new Response(readable);
        """)
    )
    exchange = isolate.begin()
    assert exchange.chunk()
    exchange.abort()
    isolate.wait(exchange.done)
    assert isolate.fetch("GET", "/ok").text == "ok"


def test_work_at_the_top_level(serve: LoadWorker) -> None:
    source = "const n = await Promise.resolve(7); export default { fetch: () => new Response(String(n)) }"
    assert serve(source).fetch().text == "7"


@pytest.mark.parametrize(
    "statement",
    [
        "fetch('http://example.com/')",
        "setTimeout(() => {}, 1)",
        "crypto.randomUUID()",
        "crypto.getRandomValues(new Uint8Array(1))",
    ],
)
def test_what_the_top_level_may_not(serve: LoadWorker, statement: str) -> None:
    with pytest.raises(LoadError) as failure:
        serve(f"await ({statement}); {fetching('')}")
    assert failure.value.report.code == "global-scope"


def test_eval_is_refused(serve: LoadWorker) -> None:
    isolate = serve(
        fetching("""
        const seen = [];
        for (const attempt of [() => eval("1"), () => new Function("return 1"), () => Function("return 1")]) {
          try { seen.push(attempt()); } catch (error) { seen.push(error.name + ": " + error.message); }
        }
        return Response.json(seen);
        """)
    )
    refusal = "EvalError: Code generation from strings disallowed for this context"
    assert isolate.fetch().json == [refusal] * 3


def test_many_requests_leak_nothing(serve: LoadWorker) -> None:
    isolate = serve(fetching("return new Response('x');"))
    assert all(isolate.fetch().text == "x" for _ in range(300))


def test_many_events_that_wait_for_one_promise(serve: LoadWorker) -> None:
    isolate = serve(
        """
        let release;
        const gate = new Promise((done) => { release = done; });
        export default {
          async fetch(request) {
            if (request.url.endsWith("/release")) release();
            else await gate;
            return new Response("ok");
          },
        };
        """
    )
    waiting = [isolate.begin("GET", "/wait") for _ in range(3000)]
    assert isolate.fetch("GET", "/release").text == "ok"
    assert all(exchange.reply().text == "ok" for exchange in waiting)


def test_a_subrequest_that_answers_after_its_event(serve: LoadWorker) -> None:
    isolate = serve(fetching("fetch('http://example.com/'); return new Response('ok');"))
    over = isolate.loop.create_future()
    ended: list[bool] = []

    async def chunks() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 65536
        finally:
            ended.append(True)

    async def outside(*_: Any) -> tuple[int, list[tuple[str, str]], Any]:
        await over
        return 200, [], chunks()

    isolate.outside = outside
    assert isolate.fetch().text == "ok"
    over.set_result(None)
    isolate.until(lambda: ended)


def test_lone_surrogates_go_out_as_replacement_characters(serve: LoadWorker) -> None:
    assert (
        serve(fetching("return new Response('中\\ud800' + 'x'.repeat(10000));")).fetch().body
        == ("中\ufffd" + "x" * 10000).encode()
    )
