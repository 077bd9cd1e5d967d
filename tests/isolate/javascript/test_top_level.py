"""The top level of JavaScript modules: the clock stands, and what needs an event is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from isolates import LoadError, LoadWorker


def test_the_clock_stands_at_zero_until_the_first_event(serve: LoadWorker) -> None:
    isolate = serve(
        """
        import { imported } from "./other.js";
        const { now } = Date, Kept = Date;
        class Own extends Date {}
        const kept = new Date();
        const early = [Date.now(), +new Date(), Date(), performance.now(), +new Own(), now(), imported,
                       +new Date(5), Date.UTC(1970, 0, 1, 0, 0, 1), Date.parse("1970-01-01T00:00:02Z"),
                       kept.constructor === Date, kept instanceof Date];
        await null;
        early.push(Date.now());
        export default { fetch() {
          const after = [Date.now(), +new Date(), performance.now(), +new Own(), now(), +new Kept()];
          return Response.json([early, after.every((time) => time > 1e12), new Kept() instanceof Date, Date.name,
                                String(Date), new Date().constructor === Date, Date().startsWith("Thu Jan 01 1970")]);
        } };
        """,
        {"other.js": "export const imported = Date.now();"},
    )
    early, after, *rest = isolate.fetch().json
    epoch = "Thu Jan 01 1970 00:00:00 GMT+0000 (Coordinated Universal Time)"
    assert early == [0, 0, epoch, 0, 0, 0, 0, 5, 1000, 2000, True, True, 0]
    assert after is True
    assert rest == [True, "Date", "function Date() { [native code] }", True, False]


def test_a_date_of_the_workers_own_stays(serve: LoadWorker) -> None:
    isolate = serve(
        """
        globalThis.Date = class { static now() { return 7; } };
        export default { fetch() { return new Response(String(Date.now())); } };
        """
    )
    assert isolate.fetch().text == "7"


@pytest.mark.parametrize(
    "code",
    [
        "new Response('text')",
        "new Response('')",
        "new Response(new Uint8Array(1))",
        "new Response(new FormData())",
        "new Response(new URLSearchParams('a=b'))",
        "Response.json({})",
        "Response.redirect('http://a/')",
        "new Request('http://a/', { method: 'POST', body: 'text' })",
        "new IdentityTransformStream()",
        "new FixedLengthStream(1)",
        "new CompressionStream('gzip')",
        "new DecompressionStream('gzip')",
        "setTimeout(() => {}, 0)",
        "setInterval(() => {})",
        "crypto.randomUUID()",
    ],
)
def test_what_needs_an_event_is_refused(serve: LoadWorker, code: str) -> None:
    with pytest.raises(LoadError) as failure:
        serve(f"const made = {code};\nexport default {{ fetch() {{ return new Response('ok'); }} }};")
    assert failure.value.report.code == "global-scope"
    place = failure.value.report.where
    assert place is not None and (Path(place.file).name, place.line) == ("worker.js", 1)


def test_what_needs_none_is_not(serve: LoadWorker) -> None:
    isolate = serve(
        """
        const made = [new Response(), new Response(null, { status: 204 }), new Response(new ReadableStream()), Response.error(),
          new Request("http://a/"), new TransformStream(), new Blob(["x"]), new FormData(), new MessageChannel(),
          new AbortController(), new TextDecoderStream(), structuredClone({}), new crypto.DigestStream("SHA-1")];
        await crypto.subtle.digest("SHA-256", new Uint8Array(1));
        export default { fetch() { return new Response(`${made.length} ${made[1].status}`); } };
        """
    )
    assert isolate.fetch().text == "13 204"


def test_a_module_that_an_event_imports_is_not_at_the_top_level(serve: LoadWorker) -> None:
    isolate = serve(
        """export default { async fetch() {
          const { response, time } = await import("./late.js");
          return new Response(`${await response.text()} ${time > 1e12}`);
        } };""",
        {"late.js": "export const response = new Response('made late'); export const time = Date.now();"},
    )
    assert isolate.fetch().text == "made late true"
