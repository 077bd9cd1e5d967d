"""What people type who know wrangler, and what cfw-emu has instead (texts of ``known.KNOWN``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.diagnostics.mistake import Known

_DEPLOY: Final = (
    "`cfw-emu check` tells what a deploy would say; `npx wrangler deploy` (Python with packages: "
    "`uv run pywrangler deploy`) deploys."
)
_ACCOUNT: Final = "cfw-emu needs no account: `cfw-emu serve` works without it."
_SECRET: Final = "Local secrets are lines NAME=value of .dev.vars, beside the wrangler file."
_STORE: Final = "This release emulates no such store; `npx wrangler {command}` works on the account's."
_SERVE: Final = "`cfw-emu serve` serves the Worker."

_INSTEAD: Final[Mapping[str, str]] = {
    **dict.fromkeys(("deploy", "publish", "versions", "rollback", "build"), _DEPLOY),
    **dict.fromkeys(("login", "logout", "whoami"), _ACCOUNT),
    **dict.fromkeys(("secret", "secrets-store"), _SECRET),
    **dict.fromkeys(("kv", "kv:key", "kv:namespace", "kv:bulk", "d1", "r2", "queues", "vectorize"), _STORE),
    **dict.fromkeys(("hyperdrive", "workflows", "containers", "pipelines"), _STORE),
    **dict.fromkeys(("start", "run", "up", "preview"), _SERVE),
    "tail": "`cfw-emu serve` prints each request and what the Worker logs; --log-level debug prints more.",
    "types": "`npx wrangler types` writes them; cfw-emu runs the Worker without any.",
    "pages": "Pages projects are not emulated; a Worker with `main` is, by `cfw-emu serve`.",
    "generate": "A project is a directory with a wrangler file; `cfw-emu serve` in it shows how to begin.",
    "test": "Run the Worker with `cfw-emu serve --port 0`, and your tests against its address.",
    "config": "Settings are in the wrangler file; those of cfw-emu itself are in cfw-emu.toml.",
}
_OF_WRANGLER: Final = frozenset(
    {
        *(
            "delete",
            "deployments",
            "triggers",
            "dispatch-namespace",
            "mtls-certificate",
            "pubsub",
            "ai",
            "docs",
        ),
        *(
            "cert",
            "email",
            "telemetry",
            "setup",
            "tunnel",
            "vpc",
            "browser",
            "route",
            "subdomain",
            "complete",
        ),
    }
)
_OTHER: Final = "It works on the account, so it stays wrangler's: `npx wrangler {command}`."


def _instead(values: Mapping[str, Any]) -> dict[str, str]:
    command, path = str(values.get("command") or "deploy"), str(values.get("path") or "")
    if path:
        return {"what": "", "instead": f"Did you mean to serve it?\n\ncfw-emu serve {path}"}
    text = _INSTEAD.get(command) or (_OTHER if command in _OF_WRANGLER else "")
    if text:
        return {"what": ", which is one of wrangler's", "instead": text.format(command=command)}
    near = str(values.get("near") or "")
    return {
        "what": "",
        "instead": f"Did you mean `cfw-emu {near}`?" if near else "`cfw-emu --help` lists the commands.",
    }


COMMAND_MISTAKES: Final[Mapping[str, Known]] = {
    "no-such-command": Known(
        'There is no command "{command}"{what}',
        "The commands are: {commands}.",
        "{instead}",
        derive=_instead,
    ),
}
