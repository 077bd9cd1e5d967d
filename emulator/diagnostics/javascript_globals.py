"""JavaScript globals that are not in the realm: of other hosts, and of the platform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NODE_GLOBALS: Final[Mapping[str, str]] = {
    "require": 'Write `import name from "./file.js"`: Workers are ES modules.',
    "module": "Write `export default { ... }`: Workers are ES modules.",
    "exports": "Write `export const name = ...`: Workers are ES modules.",
    "process": "Variables and secrets are on `env`, the second argument of fetch(request, env, ctx).",
    "Buffer": "Use Uint8Array with TextEncoder and TextDecoder, or btoa and atob for Base64.",
    "__dirname": "A Worker has no directory; import the files that it needs.",
    "__filename": "A Worker has no file of its own; import the files that it needs.",
    "global": "Write `globalThis`.",
    "setImmediate": "Write `setTimeout(f, 0)` or `queueMicrotask(f)`.",
}
"""Of Node.js."""

NODE_COMPAT_GLOBALS: Final = frozenset(("Buffer", "global", "process", "setImmediate"))
"""Those that ``nodejs_compat`` gives to Workers.

https://developers.cloudflare.com/workers/runtime-apis/nodejs/
"""

BROWSER_GLOBALS: Final[Mapping[str, str]] = {
    "window": "Write `globalThis`, or `self`.",
    "document": "There is no page in a Worker: answer with HTML as text.",
    "localStorage": "Keep data in KV, D1 or a Durable Object: a Worker keeps nothing between requests.",
    "sessionStorage": "Keep data in KV, D1 or a Durable Object: a Worker keeps nothing between requests.",
    "alert": "Write `console.log(...)`.",
    "XMLHttpRequest": "Write `await fetch(url)`.",
    "location": "Write `new URL(request.url)`.",
    "history": "There is no page in a Worker; answer with Response.redirect(url).",
}
"""Of web pages."""

PLATFORM_GLOBALS: Final = frozenset(
    (
        "Cache",
        "CacheStorage",
        "EventSource",
        "ExtendableEvent",
        "FetchEvent",
        "HTMLRewriter",
        "Intl",
        "ScheduledEvent",
        "TailEvent",
        "TraceEvent",
        "URLPattern",
        "WebSocket",
        "WebSocketPair",
        "WebSocketRequestResponsePair",
        "caches",
    )
)
"""Globals of the platform that are not in the realm yet."""
