"""Known mistakes that show while a Worker answers (texts of ``known.KNOWN``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.diagnostics.mistake import Known
from emulator.diagnostics.subrequest_causes import advice_for

_JSON_MODULE: Final = """headers = Headers.new({"Content-Type": "application/json"}.items())
return Response.new(json.dumps(data), headers=headers)"""


def _env_name(values: Mapping[str, Any]) -> dict[str, str]:
    """Facts ``name``, ``similar`` and ``known``, the names that env has."""
    known, similar, name = values.get("known"), values.get("similar"), str(values.get("name", ""))
    bare = name.isascii() and name.isidentifier()
    return {
        "key": name if bare else f'"{name}"',
        "has": f"env has: {known}." if known else "env is empty.",
        "near": f"Did you mean {similar}? Or set" if similar else "Set",
    }


def _failed(values: Mapping[str, Any]) -> dict[str, str]:
    """Fact ``subrequest``, which ends with why it failed."""
    return {"advice": advice_for(str(values.get("subrequest", "")))}


def _response_form(values: Mapping[str, Any]) -> dict[str, str]:
    """Facts ``handler`` and ``type``, the name of the returned value's Python type."""
    kind = str(values.get("type", ""))
    in_class = "." in str(values.get("handler", ""))
    hints = {
        "NoneType": " Perhaps a `return` is missing on one of its paths.",
        "coroutine": " Perhaps an `await` is missing.",
        "PyodideFuture": " Perhaps an `await` is missing.",
        "PyodideTask": " Perhaps an `await` is missing.",
        "tuple": " A tuple of body and status is Flask's habit.",
    }
    forms = {
        "dict": ("return Response.json(data)", _JSON_MODULE),
        "list": ("return Response.json(data)", _JSON_MODULE),
        "int": ("return Response(str(number))", "return Response.new(str(number))"),
        "float": ("return Response(str(number))", "return Response.new(str(number))"),
        "bool": ("return Response.json(data)", _JSON_MODULE),
        "bytes": (
            "return Response(data)",
            "return Response.new(to_js(data))    # from pyodide.ffi import to_js",
        ),
        "tuple": ("return Response(body, status=404)", "return Response.new(body, status=404)"),
        "coroutine": ("return await make_response()", "return await make_response()"),
    }
    usual = ("return Response(text)", "return Response.new(text)")
    code = forms.get(kind, usual)[0 if in_class else 1]
    source = "workers" if in_class else "js"
    if kind != "coroutine":
        needs = "Headers, Response" if code == _JSON_MODULE else "Response"
        imports = "import json\n" if code == _JSON_MODULE else ""
        code = f"{imports}from {source} import {needs}\n\n{code}"
    returned = "A fetch handler must return a Response."
    if kind:
        name = values.get("handler") or "The handler"
        shown = "None" if kind == "NoneType" else f"a value of type {kind}"
        returned = f"{name} returned {shown}, and a fetch handler must return a Response."
    return {"returned": returned, "perhaps": hints.get(kind, ""), "example": code}


REQUEST_MISTAKES: Final[Mapping[str, Known]] = {
    "headers-plain-dict": Known(
        "headers is a plain Python dict",
        "JavaScript receives a proxy of the dict, not an object, and cannot read header pairs from it. "
        'Production never answers such a request ("Worker hung").',
        """Use one of the working forms:

from js import Headers
headers = Headers.new(d.items())

from js import Object
from pyodide.ffi import to_js
headers = to_js(d, dict_converter=Object.fromEntries)""",
    ),
    "not-a-response": Known(
        "Incorrect type for Promise: the Promise did not resolve to 'Response'.",
        "{returned}{perhaps}",
        "{example}",
        derive=_response_form,
    ),
    "body-used": Known(
        "Body has already been used. It can only be used once.",
        "A body is a stream: after text(), json(), arrayBuffer(), bytes() or forwarding it, nothing is left.",
        """Keep what you have read, or clone before the first read (a Response likewise):

copy = request.clone()
text = await request.text()
again = await copy.text()

What a handler returns must be a new Response for each request, and still unread.""",
    ),
    "new-missing": Known(
        "class constructors must be invoked with 'new'",
        "A JavaScript class is not called like a Python class.",
        """Call its attribute `new`:

Response.new("text")

or use the Python class of the same name:

from workers import Response
Response("text")""",
    ),
    "env-missing": Known(
        "env.{name} does not exist",
        "{has}",
        """{near} it in the wrangler file, or, if it is secret, in .dev.vars ({name}="..."):

[vars]
{key} = "..." """.rstrip(),
        derive=_env_name,
    ),
    "env-not-emulated": Known(
        "env.{name} is not emulated yet",
        "The wrangler file configures it under {key}, which cfw-emu does not have yet. "
        "This is no mistake of yours.",
        "Let the code do without it where env lacks it, or run what needs it with `wrangler dev`.",
    ),
    "hung": Known(
        "The Worker's code had hung and would never generate a response.",
        "The handler waits for something that nothing can ever settle: no timer, no request and no stream "
        "of this event is under way any more.",
        "Look for an await on a Future, Event or Promise that nobody resolves.",
    ),
    "blocked": Known(
        "The Worker's code blocked: for {seconds} s it waited in the middle of a call",
        "A Worker has one thread. While it waits for a lock, a queue, a pipe or a thread, nothing else of it "
        "runs, so nothing can end the wait. On the platform it does not wait at all: there locks are always "
        "free.",
        """Wait with `await`, which lets everything else go on:

- asyncio.Event, asyncio.Lock and asyncio.Queue instead of those of threading and queue
- await asyncio.wrap_future(future), or await task, instead of future.result()
- await asyncio.sleep(1) instead of time.sleep(1)""",
    ),
    "subrequest-failed": Known(
        "The subrequest {subrequest}",
        "The Worker's own fetch() did not succeed, and nothing caught its exception.",
        "{advice} Or catch the exception and answer something sensible.",
        derive=_failed,
    ),
    "subrequest-cancelled": Known(
        "The subrequest {request} was cancelled: its event was over",
        "Nothing waited for it. When the response is sent, and what `waitUntil` holds is done, the platform "
        "drops what is left; such a request may reach the other side or not.",
        """Await it, or let it go on behind the response, for up to 30 s:

ctx.waitUntil(fetch(...))           // JavaScript
self.ctx.waitUntil(fetch(...))      # Python""",
        "warning",
    ),
    "after-failed-subrequest": Known(
        "Uncaught {exception}",
        "Before it, the subrequest {subrequest}.",
        "Check `response.ok` (or `response.status`) before you use the body of a subrequest.",
    ),
    "borrowed-proxy": Known(
        "This borrowed proxy was automatically destroyed at the end of a function call.",
        "A Python function or object given to JavaScript lives until the call that received it returns; "
        "JavaScript used it later.",
        """Make a proxy that lives longer:

from pyodide.ffi import create_proxy, create_once_callable

setTimeout(create_once_callable(f), 100)            # called once
target.addEventListener("x", create_proxy(f))       # called often; destroy() it when done""",
    ),
    "iterated-proxy": Known(
        "This borrowed proxy was automatically destroyed when an iterator was exhausted.",
        "A Python list, or another collection, lends JavaScript what it holds for as long as JavaScript goes "
        "through it; JavaScript used it later, as JSON.stringify() does with a list of dicts.",
        """Give JavaScript a copy, or make the text in Python:

from js import Object
from pyodide.ffi import to_js

to_js(items, dict_converter=Object.fromEntries)
json.dumps(items)""",
    ),
    "uncaught-exception": Known(
        "Uncaught {exception}",
        "{hint}",
        "",
    ),
    "isolate-died": Known(
        "The Worker's isolate ended before it answered this request",
        "Its process ended ({how}). Only GET and HEAD requests whose body is here are sent again by "
        "themselves; this {method} may have had effects.",
        "Look for what ends the process: os._exit, a crash in a native extension, too much memory. A fresh "
        "one has been started: where that does no harm, send the request again.",
    ),
    "isolate-died-loading": Known(
        'The isolate of "{name}" ended while it loaded the Worker ({how})',
        "Code at the top level of a module ended the process, or a native extension crashed.",
        "Remove the call that ends the process; the Worker is loaded again at the next save.",
    ),
    "isolate-died-again": Known(
        "The Worker's isolate ended before it answered this request, twice",
        "Its process ended ({how}). The {method} was sent again to a fresh isolate, which ended, too: the "
        "request itself seems to end it.",
        "Look for what ends the process: os._exit, a crash in a native extension, too much memory.",
    ),
}
