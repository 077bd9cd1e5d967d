"""The events ``unhandledrejection`` and ``rejectionhandled`` of JavaScript Workers."""

from __future__ import annotations

from isolates import LoadWorker, fetching


def test_the_event(serve: LoadWorker) -> None:
    isolate = serve(
        fetching("""
        const { promise, resolve } = Promise.withResolvers();
        addEventListener("unhandledrejection", (event) => resolve(event), { once: true });
        const lost = Promise.reject("reason");
        const event = await promise;
        return Response.json([
          event.type, event.reason, event.promise === lost, event instanceof PromiseRejectionEvent,
          event.isTrusted, event.cancelable, event.target === globalThis,
        ]);
        """)
    )
    assert isolate.fetch().json == ["unhandledrejection", "reason", True, True, True, False, True]


def test_on_the_global(serve: LoadWorker) -> None:
    isolate = serve(
        fetching("""
        const { promise, resolve } = Promise.withResolvers();
        globalThis.onunhandledrejection = (event) => resolve(event.reason);
        Promise.reject("seen");
        return new Response(await promise);
        """)
    )
    assert isolate.fetch().text == "seen"


def test_handled_in_time_is_no_event(serve: LoadWorker) -> None:
    isolate = serve(
        fetching("""
        const seen = [];
        addEventListener("unhandledrejection", (event) => seen.push(event.reason));
        Promise.reject("a").catch(() => {});
        try { await Promise.reject("b"); } catch {}
        await Promise.allSettled([Promise.reject("c")]);
        const late = Promise.reject("d");
        await null;
        late.catch(() => {});
        await scheduler.wait(1);
        return Response.json(seen);
        """)
    )
    assert isolate.fetch().json == []


def test_handled_too_late(serve: LoadWorker) -> None:
    isolate = serve(
        fetching("""
        const lost = Promise.withResolvers(), found = Promise.withResolvers();
        addEventListener("unhandledrejection", lost.resolve, { once: true });
        addEventListener("rejectionhandled", found.resolve, { once: true });
        const promise = Promise.reject("reason");
        await lost.promise;
        promise.catch(() => {});
        const event = await found.promise;
        return Response.json([event.type, event.promise === promise, String(event.reason)]);
        """)
    )
    assert isolate.fetch().json == ["rejectionhandled", True, "undefined"]


def test_each_has_its_event_and_a_listener_may_reject(serve: LoadWorker) -> None:
    isolate = serve(
        fetching("""
        const seen = [];
        const { promise, resolve } = Promise.withResolvers();
        addEventListener("unhandledrejection", (event) => {
          seen.push(event.reason);
          if (event.reason === "two") queueMicrotask(() => Promise.reject("three"));
          if (event.reason === "three") resolve();
        });
        Promise.reject("one");
        Promise.reject("two");
        await promise;
        return Response.json(seen);
        """)
    )
    assert isolate.fetch().json == ["one", "two", "three"]


def test_it_is_told_all_the_same(serve: LoadWorker) -> None:
    isolate = serve(
        """addEventListener("unhandledrejection", () => {});"""
        + fetching("""Promise.reject(new Error("nobody looks")); return new Response("ok");""")
    )
    exchange = isolate.begin()
    assert exchange.reply().text == "ok"
    isolate.until(lambda: exchange.explained)
    assert "nobody looks" in exchange.explained[0].exception


def test_prevented_is_not_told(serve: LoadWorker) -> None:
    isolate = serve(
        """addEventListener("unhandledrejection", (event) => {
             if (event.reason.message === "mine") event.preventDefault();
           });"""
        + fetching("""
        Promise.reject(new Error("mine"));
        Promise.reject(new Error("not mine"));
        return new Response("ok");
        """)
    )
    exchange = isolate.begin()
    assert exchange.reply().text == "ok"
    isolate.until(lambda: exchange.explained)
    assert ["not mine" in report.exception for report in exchange.explained] == [True]


def test_a_listener_that_throws(serve: LoadWorker) -> None:
    isolate = serve(
        """addEventListener("unhandledrejection", () => { throw new Error("in the listener"); });"""
        + fetching("""Promise.reject(new Error("lost")); return new Response("ok");""")
    )
    exchange = isolate.begin()
    assert exchange.reply().text == "ok"
    isolate.until(lambda: len(exchange.explained) + len(exchange.logs) == 2)
    told = [report.exception for report in exchange.explained] + [log.text for log in exchange.logs]
    assert sorted("in the listener" in text for text in told) == [False, True]
    assert isolate.fetch().text == "ok"
