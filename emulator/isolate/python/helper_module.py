"""``_pyodide_entrypoint_helper`` and ``_cloudflare_compat_flags``: what the Python SDK imports."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from ..bridge.bridge import Bridge
from ..compat_flags import CompatibilityFlags


def install(bridge: Bridge, workers_module: Any) -> None:
    """Register both modules. ``workers_module`` is the JS module ``cloudflare:workers``.

    All flags read as off until ``configure``.
    """
    sys.modules["_cloudflare_compat_flags"] = ModuleType("_cloudflare_compat_flags")
    configure(CompatibilityFlags("", ()))
    helper: Any = ModuleType("_pyodide_entrypoint_helper")
    helper.cloudflareWorkersModule = workers_module
    helper.cloudflareSocketsModule = bridge.wrap(bridge.engine.context.new_object())
    # The platform patches waitUntil so that it keeps what it is given alive; ours does so anyway.
    helper.patchWaitUntil = lambda ctx: None

    async def do_an_import(name: str) -> Any:
        if name == "cloudflare:workers":
            return workers_module
        error = bridge.engine.global_.get("Error").call_constructor(f'No such module "{name}".')
        raise bridge.errors.from_js(error)

    helper.doAnImport = do_an_import
    sys.modules["_pyodide_entrypoint_helper"] = helper


def configure(flags: CompatibilityFlags) -> None:
    """Set the booleans that the SDK reads; it holds on to the module."""
    module = sys.modules["_cloudflare_compat_flags"]
    for name, on in flags.items():
        setattr(module, name, on)
