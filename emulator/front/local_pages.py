"""The emulator's own pages, below ``/cdn-cgi/``, which never reach a Worker (as on the platform)."""

from __future__ import annotations

from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from emulator.diagnostics.render import negotiate
from emulator.fleet.fleet import Fleet
from emulator.limits.route_report import RouteReport

HEALTH: Final = "/cdn-cgi/local/health"
REPORT: Final = "/cdn-cgi/local/report"

_NO_REPORT: Final = "Routes are counted when cfw-emu is started with --report.\n"


def local_pages(fleet: Fleet, routes: RouteReport | None = None) -> Starlette:
    """The application of these pages.

    ``/cdn-cgi/local/health``: each Worker, whether it serves and why not; 503 while one does not.
    ``/cdn-cgi/local/report``: what each route needed so far, as text, or as JSON for who accepts that.
    """

    async def health(_: Request) -> Response:
        workers = {
            name: {
                "ready": slot.active is not None,
                "busy": slot.active.busy if slot.active is not None else 0,
                "errors": [report.what for report in slot.reports],
            }
            for name, slot in fleet.slots.items()
        }
        ready = all(worker["ready"] for worker in workers.values())
        return JSONResponse({"ready": ready, "workers": workers}, 200 if ready else 503)

    async def report(request: Request) -> Response:
        if routes is None:
            return PlainTextResponse(_NO_REPORT, 404)
        accept, agent = (request.headers.get(name, "") for name in ("accept", "user-agent"))
        if negotiate(accept, agent) == "json":
            return JSONResponse(routes.data())
        return PlainTextResponse("\n".join(routes.lines()) + "\n")

    return Starlette(routes=[Route(HEALTH, health), Route(REPORT, report)])
