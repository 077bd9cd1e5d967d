"""The emulator's own pages, below ``/cdn-cgi/``, which never reach a Worker (as on the platform)."""

from __future__ import annotations

from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emulator.fleet.fleet import Fleet

HEALTH: Final = "/cdn-cgi/local/health"


def local_pages(fleet: Fleet) -> Starlette:
    """``/cdn-cgi/local/health``: each Worker, whether it serves and why not; 503 while one does not."""

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

    return Starlette(routes=[Route(HEALTH, health)])
