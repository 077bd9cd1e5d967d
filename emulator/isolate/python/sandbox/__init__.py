"""Makes a Python Worker see what it sees on the platform, and withholds the rest.

Not a wall against hostile code: the Worker is the user's own. It is there so that what works
here works on the platform, and what does not says so here.
"""

from __future__ import annotations

import functools
import os
import posix
import sys
from collections.abc import Callable, Sequence
from typing import Final

from . import files, identity, refusals
from .entropy import EntropyGuard
from .notices import Notices
from .private import PrivateTree, sweep
from .view import View

__all__ = ["Sandbox", "enter", "prepare", "sweep"]


_ZONES: Final = ("/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo")


class Sandbox:
    """What is left to do at the end of an isolate."""

    def __init__(self, tree: PrivateTree) -> None:
        self._tree = tree

    def leave(self) -> None:
        """Remove what the Worker wrote."""
        self._tree.remove()


@functools.cache
def prepare() -> tuple[str, ...]:
    """What is the same for all Workers: done before the fork it costs nothing after it. Idempotent.

    Gives the directories of Python and its packages.
    """
    places = {os.path.dirname(os.__file__), __file__.rpartition("/isolate/")[0], *_ZONES}
    places.update(path for path in sys.path if path.startswith("/"))
    return tuple(places | {os.path.realpath(place) for place in places})


def enter(
    project_root: str,
    readable: Sequence[str],
    log: Callable[[str, str], None],
    *,
    code_root: str = "",
    in_event: Callable[[], bool] = lambda: True,
) -> Sandbox:
    """Turn this process into a Worker's, for good.

    ``project_root`` and the ``readable`` directories are shown under their real names,
    read-only; ``code_root`` (the directory of the entry module, ``project_root`` if empty) also
    as ``/session/metadata``. Whatever is withheld is said once per kind by
    ``log("warn", text)``. ``in_event`` tells whether code runs for an event; until it first does,
    the Worker's own code gets no random values.
    """
    notices = Notices(project_root, log)
    tree = PrivateTree(posix.getpid())
    identity.install()
    own = {project_root, code_root or project_root, *readable}
    own |= {os.path.realpath(place) for place in own}
    # A search path that holds the whole project (a working directory) would show too much.
    shown = own.union(
        place for place in prepare() if not f"{project_root}/".startswith(place.rstrip("/") + "/")
    )
    view = View(project_root, code_root or project_root, shown, tree, notices)
    EntropyGuard(in_event, notices).install()
    files.install(view)
    refusals.install(view, notices)
    return Sandbox(tree)
