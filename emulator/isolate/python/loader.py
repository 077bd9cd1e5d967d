"""Load a Python Worker: its search path, its entry module, its handlers."""

from __future__ import annotations

import importlib.util
import linecache
import sys
from pathlib import Path
from types import ModuleType

from emulator.wire.frames import WorkerSpec

from ..bridge.bridge import Bridge
from ..compat_flags import CompatibilityFlags
from . import blocking
from .handlers import Handlers
from .helper_module import configure
from .pyodide_compat import follow_runtime


def load_worker(bridge: Bridge, spec: WorkerSpec) -> Handlers:
    """Import the entry module of ``spec`` and find its handlers. Raises what the import raises.

    The entry module's name is its file's stem, as on the platform; its directory comes
    first on ``sys.path``, vendored packages after it.
    """
    flags = CompatibilityFlags(spec.compatibility_date, spec.compatibility_flags)
    configure(flags)
    bridge.follow_runtime(flags.python_version)
    follow_runtime(flags.python_version)
    if flags.python_version >= (3, 13):
        blocking.install(bridge.promises)
    flags.tell(bridge.realm.platform)
    main = Path(spec.main)
    sys.path[:0] = [str(main.parent), *spec.packages]
    sys.dont_write_bytecode = True
    linecache.checkcache()
    module = _import(main)
    return Handlers(bridge, module, flags, spec.main)


def _import(main: Path) -> ModuleType:
    name = main.stem
    sys.modules.pop(name, None)
    spec = importlib.util.spec_from_file_location(name, main)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
