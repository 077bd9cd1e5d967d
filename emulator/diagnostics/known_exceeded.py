"""Known mistakes: a limit that a request, a start or an account exceeded (texts of ``known.KNOWN``)."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from typing import Any, Final

from emulator.diagnostics.mistake import Known

_OFF: Final = "cfw-emu serve --limits off"
_PAID: Final = "cfw-emu serve --limits paid"
_MORE: Final = f"\n\nThe paid plan allows more, and `--limits off` any number:\n\n{_PAID}"
_MORE_PAID: Final = f"\n\nWithout any limit: {_OFF}"


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    return str(value) if value not in (None, "") else ""


def _lines(values: Mapping[str, Any], name: str) -> str:
    """A listing, indented: that makes it one on pages, too."""
    text = _text(values, name).strip("\n")
    return text if all(line.startswith("  ") for line in text.split("\n")) else textwrap.indent(text, "  ")


def _over(values: Mapping[str, Any], limit: str = "limit", what: str = "") -> str:
    """``: 14.2 ms, and the plan free allows 10 ms``, with what is known of it."""
    used, allowed, plan = _text(values, "used"), _text(values, limit), _text(values, "plan")
    owner = f"the plan {plan}" if plan else "the plan"
    parts = [used + what if used else "", f"{owner} allows {allowed}" if allowed else ""]
    told = ", and ".join(part for part in parts if part)
    return f": {told}" if told else ""


def _overrun(limit: str = "limit") -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """The facts ``used``, ``limit`` and ``plan`` as one text, ``over``."""
    return lambda values: {"over": _over(values, limit)}


_CPU_WAYS: Final = """Do less in one request:

- What is the same for all requests belongs at the top of the module (it runs once), in KV or in the cache.
- Big inputs: take a part at a time, or let the client send less.
- Waiting costs nothing: only computing counts, fetch() and sleep do not.

"""

_CPU_LIFT: Final = f"The paid plan allows 30 s: {_PAID}"
_CPU_LIFT_PAID: Final = (
    f"`limits.cpu_ms` of the wrangler file may raise it to 5 minutes. Without any limit: {_OFF}"
)

_CPU_ENDLESS: Final = (
    "If it is a loop that never ends, give it a condition that ends it, and check that it is met.\n\n"
)

_CPU_NATIVE: Final = (
    "The line calls code of C (a built-in function, a regular expression, a package), whose time counts like "
    "that of your own lines. Give it less to do: a smaller range, a shorter text, a pattern without nested "
    "repetition such as `(a+)+`.\n\n"
)

_CPU_RARE: Final = (
    "\n\nProduction forgives a rare overrun: cfw-emu serve --cpu flexible does, too (docs/limits.md)."
)

_CPU_SAVED: Final = (
    " With `--cpu flexible` it may also use what requests before it left of theirs: that did not suffice."
)


_CPU_ANSWERED: Final = "Production answers such a request with error 1102."

_CPU_STAGES: Final[Mapping[str, str]] = {
    "answered": "Its answer was sent before, or its client had left: production ends what still runs for it, "
    "and logs the outcome exceededCpu.",
    "nobody": "It was code that works for no request, like a task or callback that the top level of a module "
    "left behind.",
}
"""What becomes of an overrun, where there is no request to answer."""


def _cpu(values: Mapping[str, Any]) -> dict[str, str]:
    when, hottest = _text(values, "when"), _lines(values, "hottest")
    caught = f" This one was {when}." if when else ""
    cut = "cut" in when or "killed" in when
    killed = (
        " Its whole isolate had to go; the requests beside it are sent again where that is harmless."
        if "killed" in when
        else ""
    )
    profile = f"\n\nWhere the time went (share of the samples):\n\n{hottest}" if hottest else ""
    advice = _CPU_NATIVE if values.get("native") else _CPU_ENDLESS if cut else ""
    flexible = bool(values.get("flexible"))
    lift = _CPU_LIFT_PAID if _text(values, "plan") == "paid" else _CPU_LIFT
    return {
        "over": _over(values, "budget"),
        "production": _CPU_STAGES.get(_text(values, "stage"), _CPU_ANSWERED),
        "caught": caught + killed + (_CPU_SAVED if flexible else "") + profile,
        "advice": advice + _CPU_WAYS + lift + ("" if cut or flexible else _CPU_RARE),
    }


_HEAPS: Final = "Python's and JavaScript's heaps and the memories of WebAssembly count together"

_MEMORY_ADVICE: Final[Mapping[str, str]] = {
    "Python": "In Python, look for lists and dicts at the top of a module that grow with each request, for "
    "`body = await request.bytes()` of big bodies, and for texts that are joined in a loop.",
    "JavaScript": "In JavaScript, look for arrays and Maps outside of the handler that grow with each "
    "request, and for `await request.arrayBuffer()` of big bodies.",
    "WebAssembly": "A WebAssembly memory never shrinks, and TinyGo's `gc=leaking` gives nothing back: build "
    "with `-gc=conservative`, or make a new instance for each request.",
}

_MEMORY_WAYS: Final = (
    """Hold less at a time:

- Pass streams on instead of reading them: `return Response(upstream.body)`.
- Keep in globals only what has a bound; the rest belongs in KV, R2 or D1.

No plan of the platform allows more than 128 MB. To look at it without the limit: """
    + _OFF
)


_MEMORY_OTHERS: Final = "The others go on, and the next one meets a fresh isolate."

_MEMORY_ANSWERED: Final = (
    f"This request is the one that could not get more, so it is answered with error 1102. {_MEMORY_OTHERS}"
)

_MEMORY_STAGES: Final[Mapping[str, str]] = {
    "answered": "This request is the one that could not get more. Its answer was sent before, or its client "
    f"had left: what still ran for it is ended. {_MEMORY_OTHERS}",
    "nobody": f"Code that works for no request could not get more, and was ended. {_MEMORY_OTHERS}",
    "died": "This request is the one whose code ran when there was no more, so it is answered with error "
    "1102. The process ended with it: the requests beside it are sent again where that is harmless, and "
    "answered with 503 where not.",
}
"""What becomes of the request that ran out of memory, and of the others."""


def _memory(values: Mapping[str, Any]) -> dict[str, str]:
    what = _text(values, "what")
    which = f" It was {what}'s that had to grow." if what in _MEMORY_ADVICE else ""
    advice = _MEMORY_ADVICE.get(what, "")
    return {
        "over": _over(values),
        "which": which,
        "outcome": _MEMORY_STAGES.get(_text(values, "stage"), _MEMORY_ANSWERED),
        "advice": (advice + "\n\n" if advice else "") + _MEMORY_WAYS,
    }


def _startup_cpu(values: Mapping[str, Any]) -> dict[str, str]:
    imports = _lines(values, "imports")
    return {
        "over": _over(values),
        "hottest": f"\n\nWhere the time went:\n\n{imports}" if imports else "",
    }


def _requests(values: Mapping[str, Any]) -> dict[str, str]:
    limit, plan, resets = (_text(values, name) for name in ("limit", "plan", "resets"))
    owner = f"the plan {plan}" if plan else "the plan"
    return {
        "allows": f": {owner} allows {limit}" if limit else "",
        "until": f" until {resets}" if resets else " until midnight, UTC",
        "command": _text(values, "command") or "cfw-emu quota --reset",
    }


def _named(values: Mapping[str, Any]) -> dict[str, str]:
    """``over``, the name of what is meant in quotes behind a blank, and how to have ``more``."""
    name = _text(values, "name")
    return {
        "over": _over(values),
        "called": f' "{name}"' if name else "",
        "more": _MORE_PAID if _text(values, "plan") == "paid" else _MORE,
    }


def _loop(values: Mapping[str, Any]) -> dict[str, str]:
    depth = _text(values, "depth")
    return {"deep": f"{depth} deep" if depth else "too deeply"}


def _bound(values: Mapping[str, Any]) -> dict[str, str]:
    limit = _text(values, "limit")
    return {"allowed": f" ({limit})" if limit else ""}


EXCEEDED_MISTAKES: Final[Mapping[str, Known]] = {
    "cpu-exceeded": Known(
        "Worker exceeded CPU time limit{over}",
        "{production}{caught}",
        "{advice}",
        derive=_cpu,
    ),
    "memory-exceeded": Known(
        "Worker exceeded memory limit{over}",
        f"{_HEAPS}: all that an isolate holds, for all its requests.{{which}} {{outcome}}",
        "{advice}",
        derive=_memory,
    ),
    "startup-cpu-exceeded": Known(
        "Script startup exceeded CPU time limit{over}",
        "All that runs before the first request counts: imports, and the code at the top of the modules. "
        "`wrangler deploy` refuses such a Worker (error 10021).{hottest}",
        "Import what only some requests need inside the function that needs it, replace big packages by "
        f"smaller ones, and move work from the top of the module into the handler.\n\n{_OFF}",
        derive=_startup_cpu,
    ),
    "startup-memory-exceeded": Known(
        "Script startup exceeded memory limit{over}",
        f"{_HEAPS}. `wrangler deploy` refuses a Worker that needs as much before its first request "
        "(error 10021).",
        "Load data when a request needs it (KV, R2, static assets) instead of at the top of the module, and "
        f"import less.\n\n{_OFF}",
        derive=_overrun(),
    ),
    "requests-exceeded": Known(
        "The day's requests are used up{allows}",
        "They are counted for the whole account: all Workers and all runs of a day (UTC) that share their "
        "local data, the directory .cfw-emu or that of --persist-to. Production answers error 1027{until}.",
        "Count from zero again, or serve without this limit:\n\n{command}\n" + _PAID,
        derive=_requests,
    ),
    "worker-loop": Known(
        "Workers called each other {deep}",
        "A request of a Worker to a Worker, itself included, carries a header CF-EW-Via, which counts those "
        "above it. Production ends such a chain with error 1019.",
        "Look for a fetch() of the Worker's own address: `fetch(request)` comes back to this Worker here, "
        "where production sends it on to the server behind the zone. Call a function instead, or give "
        "fetch() the address that is meant.",
        derive=_loop,
    ),
    "url-too-long": Known(
        "The URL of the request is too long{over}",
        "The platform does not give such a request to the Worker.",
        "Send the data as the body of a POST.",
        derive=_overrun(),
    ),
    "request-headers-too-big": Known(
        "The headers of the request are too big{over}",
        "Names and values of all headers count together, cookies included. The platform does not give such a "
        "request to the Worker.",
        "Look for cookies that grow; keep what they hold in KV, and a short key in the cookie.",
        derive=_overrun(),
    ),
    "request-body-too-big": Known(
        "The body of the request is too big{over}",
        "The platform answers 413, and the Worker sees the request's body break off, or nothing of it.",
        "Upload in parts (R2 multipart uploads), or let the client send straight to R2 with a presigned URL.",
        derive=_overrun(),
    ),
    "response-headers-too-big": Known(
        "The headers of the response are too big{over}",
        "Names and values of all headers count together, Set-Cookie included.",
        "Look for a header that is appended in a loop, or for data in cookies: it belongs in the body, or in "
        "KV.",
        derive=_overrun(),
    ),
    "variables-too-many": Known(
        "The Worker{called} has too many variables{over}",
        "Variables and secrets count together. `wrangler deploy` is refused (error 10055).",
        "Put several into one JSON variable, or read them from KV.{more}",
        derive=_named,
    ),
    "variable-too-big": Known(
        "The variable{called} is too big{over}",
        "`wrangler deploy` is refused (error 10054).",
        "Keep the value in a module of the project, or in KV, and only its name in a variable.",
        derive=_named,
    ),
    "crons-too-many": Known(
        "There are too many cron triggers{over}",
        "They are counted for the whole account: all Workers together. `wrangler deploy` is refused.",
        "Let one trigger do several things: `controller.cron` tells which it was, and one expression may "
        'name several times: "0,30 8-18 * * *".{more}',
        derive=_named,
    ),
    "workers-too-many": Known(
        "There are too many Workers{over}",
        "They are counted for the whole account. `wrangler deploy` of one more is refused (error 10037).",
        "Serve fewer projects, or make one Worker of several that answers by path or host.{more}",
        derive=_named,
    ),
    "log-truncated": Known(
        "The request wrote more to the console than the platform keeps{allowed}",
        "What it writes from here on is dropped, as in production.",
        "Log less: sizes instead of contents, one line for a loop.",
        "warning",
        derive=_bound,
    ),
    "subrequests-exceeded": Known(
        "Too many subrequests by single Worker invocation{allowed}",
        "Each fetch() of a request counts, and so does each redirect that it follows. The first one above "
        "the limit throws this error.",
        "Ask for many things at once where the other side can do that, keep answers in the cache or in KV, "
        'or do the rest in another request. `redirect: "manual"` saves what redirects would cost.',
        derive=_bound,
    ),
}
