"""The command line. Nothing heavy is imported before a command needs it: start-up time is a feature."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emulator.fleet.launch import ForkServerProcess

_LOADING = ("serve", "dev", "check")
_QUICK = ("--help", "-h", "--version")


def main() -> None:
    """The ``cfw-emu`` program."""
    fork_server = _launch_early(sys.argv[1:])
    from emulator.cli.commands import cfw_emu

    cfw_emu.main(prog_name="cfw-emu", obj=fork_server)


def _launch_early(arguments: list[str]) -> ForkServerProcess | None:
    """Start the fork server before all else, so that it boots while the front is imported."""
    if not arguments or arguments[0] not in _LOADING or any(quick in arguments for quick in _QUICK):
        return None
    from emulator.fleet.launch import launch

    return launch()
