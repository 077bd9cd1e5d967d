"""Calls in a Python Worker that do nothing good on the platform: processes, threads, sockets, waiting."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any, Final

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Report
from emulator.project.check.python_source import PythonFile

_PROCESSES: Final = (
    *("subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output"),
    *("subprocess.Popen", "subprocess.getoutput", "subprocess.getstatusoutput", "os.system", "os.popen"),
    *(
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.execv",
        "os.execve",
        "os.execvp",
        "os.execl",
        "os.execlp",
    ),
    *("os.spawnv", "os.spawnl", "asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell"),
    *("multiprocessing.Process", "multiprocessing.Pool", "concurrent.futures.ProcessPoolExecutor"),
)
_THREADS: Final = (
    *("threading.Thread", "threading.Timer", "_thread.start_new_thread", "multiprocessing.pool.ThreadPool"),
    "concurrent.futures.ThreadPoolExecutor",
)
_VERBS: Final = ("get", "post", "put", "patch", "delete", "head", "options", "request")
_CLIENTS: Final = (
    *(f"requests.{verb}" for verb in (*_VERBS, "Session", "session")),
    *(f"httplib2.{name}" for name in ("Http",)),
    *("urllib.request.urlopen", "urllib.request.urlretrieve", "urllib3.PoolManager", "urllib3.request"),
    *("http.client.HTTPConnection", "http.client.HTTPSConnection"),
)
_SOCKETS: Final = (
    *("socket.create_connection", "socket.create_server", "asyncio.open_connection", "asyncio.start_server"),
    *(
        "smtplib.SMTP",
        "smtplib.SMTP_SSL",
        "ftplib.FTP",
        "ftplib.FTP_TLS",
        "imaplib.IMAP4_SSL",
        "imaplib.IMAP4",
    ),
    *("psycopg.connect", "psycopg2.connect", "pymysql.connect", "MySQLdb.connect", "asyncpg.connect"),
    *("redis.Redis", "redis.StrictRedis", "pymongo.MongoClient", "paramiko.SSHClient"),
)
_ENDS: Final = ("sys.exit", "os._exit", "os.abort")

_CALLS: Final[Mapping[str, str]] = {
    **dict.fromkeys(_PROCESSES, "python-process"),
    **dict.fromkeys(_THREADS, "python-thread"),
    **dict.fromkeys(_CLIENTS, "python-blocking-http"),
    **dict.fromkeys(_SOCKETS, "python-socket"),
    **dict.fromkeys(_ENDS, "exit-called"),
    "time.sleep": "python-sleep",
    "asyncio.run": "python-asyncio-run",
}
"""Dotted name -> code."""

_HANDLERS: Final = frozenset(
    {
        *("fetch", "scheduled", "queue", "email", "tail", "trace", "test", "connect", "alarm", "run"),
        *("webSocketMessage", "webSocketClose", "webSocketError"),
    }
)
"""Methods that the platform calls."""
_LOOPS: Final = ("asyncio.get_event_loop", "asyncio.new_event_loop", "asyncio.get_running_loop")
_WRITES: Final = frozenset("wax+")
_LASTING: Final = ("/tmp/", "/dev/")


def call_mistakes(file: PythonFile, variables: frozenset[str], mentioned: frozenset[str]) -> Iterator[Report]:
    """What the calls of one file do that the platform does not have.

    ``variables`` are the names on env. What stands in a function that nothing calls is a warning:
    ``mentioned`` are all names that the Worker's code reads.
    """
    told: set[tuple[str, str]] = set()
    for node, context in file.nodes:
        found = _mistake(file, node, variables)
        # The same call all over a file is one mistake.
        if found is not None and (found[0], found[1].get("call", "")) not in told:
            code, facts = found
            told.add((code, facts.get("call", "")))
            severity = "" if _is_alive(context.scope, mentioned) else "warning"
            yield explain(code, where=file.place(node, context.function), severity=severity, **facts)


def _is_alive(function: ast.AST | None, mentioned: frozenset[str]) -> bool:
    """Whether a function may be called: something mentions or decorates it, or the platform calls it."""
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return True
    name = function.name
    return name in mentioned | _HANDLERS or name.startswith(("on_", "__")) or bool(function.decorator_list)


def _mistake(file: PythonFile, node: ast.AST, variables: frozenset[str]) -> tuple[str, dict[str, Any]] | None:
    if isinstance(node, ast.Subscript) and file.origin(node.value) == "os.environ":
        return _environment(node.slice, variables)
    if not isinstance(node, ast.Call):
        return None
    name = file.origin(node.func)
    if name in _CALLS:
        return _CALLS[name], {"call": name}
    if name in ("os.getenv", "os.environ.get") and node.args:
        return _environment(node.args[0], variables)
    if any(file.is_builtin(node.func, each) for each in ("exit", "quit")):
        return "exit-called", {"call": ast.unparse(node.func)}
    if isinstance(node.func, ast.Attribute) and node.func.attr == "run_until_complete":
        inner = node.func.value
        if isinstance(inner, ast.Call) and file.origin(inner.func) in _LOOPS:
            return "python-asyncio-run", {"call": "run_until_complete"}
    if file.is_builtin(node.func, "open"):
        return _writing(node)
    return None


def _environment(key: ast.expr, variables: frozenset[str]) -> tuple[str, dict[str, Any]] | None:
    if isinstance(key, ast.Constant) and key.value in variables:
        return "python-environ", {"name": key.value, "call": key.value}
    return None


def _writing(node: ast.Call) -> tuple[str, dict[str, Any]] | None:
    """``open("data.json", "w")``."""
    given = [each.value for each in node.keywords if each.arg == "mode"]
    mode = next(iter([*given, *node.args[1:2]]), None)
    path = node.args[0] if node.args else None
    if not (isinstance(mode, ast.Constant) and isinstance(mode.value, str) and _WRITES & set(mode.value)):
        return None
    if not (isinstance(path, ast.Constant) and isinstance(path.value, str)):
        return None
    if path.value.startswith(_LASTING):
        return None
    return "python-file-write", {"path": path.value, "call": path.value}
