"""The command line. Nothing heavy is imported before a command needs it: start-up time is a feature."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emulator.fleet.launch import ForkServerProcess

_LOADING = ("serve", "dev", "check")
_QUICK = ("--help", "-h", "--version")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def main() -> None:
    """The ``cfw-emu`` program."""
    _open_standard_streams()
    fork_server = _launch_early(sys.argv[1:])
    from emulator.cli.commands import cfw_emu

    try:
        cfw_emu.main(prog_name="cfw-emu", obj=fork_server)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        _give_up(error)


def _open_standard_streams() -> None:
    """Where a shell closed one (``>&-``), something else would be opened in its place, and written to."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The lowest number that is free: this one. The fork server inherits it.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - until the end
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def _give_up(error: OSError) -> None:
    """Standard output takes no more; what is left of it must not be written at the end, either."""
    print(f"cfw-emu: cannot write the output: {error.strerror}", file=sys.stderr)
    sys.stderr.flush()
    os._exit(1)


def _launch_early(arguments: list[str]) -> ForkServerProcess | None:
    """Start the fork server before all else, so that it boots while the front is imported."""
    if not arguments or arguments[0] not in _LOADING or any(quick in arguments for quick in _QUICK):
        return None
    from emulator.fleet.launch import launch

    return launch()
