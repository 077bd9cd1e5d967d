"""What Workers do not have: processes, threads, sockets, signals, the end of their isolate."""

from __future__ import annotations

import pytest
from inside import inside

PROBE = """
import ast, asyncio, json, multiprocessing, os, platform, socket, subprocess, sys, threading, time
from js import Response

async def on_fetch(request):
    source = await request.text()
    try:
        code = compile(source, "probe", "eval", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        value = eval(code, dict(globals()))
        if asyncio.iscoroutine(value):
            value = await value
        out = {"ok": value if isinstance(value, (int, str, float, list, dict, type(None))) else repr(value)}
    except BaseException as error:
        out = {"err": type(error).__name__, "msg": str(error)}
    return Response.new(json.dumps(out))
"""


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ('subprocess.run(["ls"])', "OSError", "[Errno 138] emscripten does not support processes."),
        ('subprocess.check_output("ls", shell=True)', "OSError", "[Errno 138] emscripten does not support processes."),
        ('os.popen("ls")', "OSError", "[Errno 138] emscripten does not support processes."),
        ("os.fork()", "OSError", "[Errno 52] Function not implemented"),
        ('os.spawnl(os.P_WAIT, "/bin/ls", "ls")', "OSError", "[Errno 52] Function not implemented"),
        ("multiprocessing.Process(target=print).start()", "OSError", "[Errno 52] Function not implemented"),
        ("os.waitpid(-1, 0)", "OSError", "[Errno 52] Function not implemented"),
        ('os.execv("/bin/ls", ["ls"])', "OSError", "[Errno 45] Exec format error"),
        ('os.posix_spawn("/bin/ls", ["ls"], {})', "AttributeError", "module 'os' has no attribute 'posix_spawn'"),
        ("os.kill(1, 9)", "PermissionError", "[Errno 63] Operation not permitted"),
        ("os.kill(os.getpid(), 9)", "PermissionError", "[Errno 63] Operation not permitted"),
        ('__import__("signal").alarm(1)', "AttributeError", "module 'signal' has no attribute 'alarm'"),
        ('__import__("signal").sigwait({2})', "OSError", "[Errno 52] Function not implemented"),
        ('__import__("signal").raise_signal(9)', "PermissionError", "[Errno 63] Operation not permitted"),
        ("os._exit(3)", "RuntimeError", "os._exit() is not available on Workers"),
        ("os.abort()", "RuntimeError", "os.abort() is not available on Workers"),
        ("sys.exit(3)", "SystemExit", "3"),
        ("threading.Thread(target=print).start()", "RuntimeError", "can't start new thread"),
        ("threading.Timer(1, print).start()", "RuntimeError", "can't start new thread"),
        ('__import__("_thread").start_new_thread(print, ())', "RuntimeError", "can't start new thread"),
        ('__import__("concurrent.futures").futures.ThreadPoolExecutor().submit(print)', "RuntimeError", "can't start new thread"),
        ('socket.create_connection(("example.com", 443))', "OSError", "[Errno 23] Host is unreachable"),
        ('socket.socket().connect(("127.0.0.1", 80))', "OSError", "[Errno 23] Host is unreachable"),
        ('socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("1.1.1.1", 53))', "OSError", "[Errno 23] Host is unreachable"),
        ('socket.socket().bind(("127.0.0.1", 0))', "OSError", "[Errno 138] Not supported"),
        ("socket.socket().listen()", "OSError", "[Errno 138] Not supported"),
        ('__import__("urllib.request").request.urlopen("https://example.com")', "URLError", "<urlopen error [Errno 23] Host is unreachable>"),
        ('__import__("http.client").client.HTTPConnection("example.com").connect()', "OSError", "[Errno 23] Host is unreachable"),
        ('await asyncio.open_connection("example.com", 80)', "NotImplementedError", "create_connection() is not available on Workers; use fetch()"),
        ('await asyncio.create_subprocess_exec("ls")', "NotImplementedError", "subprocess_exec() is not available on Workers; use fetch()"),
        ('__import__("fcntl")', "ModuleNotFoundError", "No module named 'fcntl'"),
        ('__import__("curses.ascii")', "ModuleNotFoundError", "No module named 'curses'"),
    ],
)  # fmt: skip
def test_refusals(probe, source, error, message):
    assert probe(source) == {"err": error, "msg": message}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ('os.system("true")', -1),
        ("time.sleep(0.001)", None),
        ("await asyncio.to_thread(lambda: 5)", 5),
        ('socket.gethostbyname("localhost")', "127.0.0.1"),
        ('len({socket.gethostbyname(f"host{n}.test") for n in range(9)})', 9),
        ('__import__("importlib.util").util.find_spec("pwd")', None),
        ('str(__import__("signal").signal(15, print))', "0"),
        ('__import__("signal").getsignal(15) is print', True),
        ('type(__import__("concurrent.futures").futures.ProcessPoolExecutor).__name__', "type"),
    ],
)
def test_answers(probe, source, value):
    assert probe(source) == {"ok": value}


@pytest.fixture(scope="module")
def probe(isolates, tmp_path_factory):
    """Evaluate an expression in a Worker's handler."""
    from isolates import write

    isolate = isolates.load(write(tmp_path_factory.mktemp("probe"), {"src/entry.py": PROBE}))
    yield lambda source: isolate.fetch("POST", "/", body=source.encode()).json
    isolate.kill()


def test_each_kind_is_said_once_with_the_users_line(load):
    worker = load(
        "import os, threading\n"
        "from js import Response\n"
        "def on_fetch(request):\n"
        "    os.system('true')\n"
        "    os.system('true')\n"
        "    try:\n"
        "        threading.Thread(target=print).start()\n"
        "    except RuntimeError:\n"
        "        return Response.new('ok')\n"
    )
    lines = worker.fetch().lines
    assert [line.split(": ")[0] for line in lines] == ["src/entry.py:4", "src/entry.py:7"]
    assert "fetch()" in lines[0] and "asyncio" in lines[1]
    assert worker.fetch().lines == []


def test_isolate_survives_exits_in_tasks_and_callbacks(load):
    worker = load(
        "import asyncio, sys\n"
        "from js import Response\n"
        "async def leave(): sys.exit(3)\n"
        "async def on_fetch(request):\n"
        "    asyncio.get_running_loop().call_soon(sys.exit, 4)\n"
        "    try:\n"
        "        await asyncio.create_task(leave())\n"
        "    except SystemExit as error:\n"
        "        return Response.new(f'left {error}')\n"
    )
    assert worker.fetch().text == "left 3"
    assert worker.fetch().text == "left 3"


def test_exit_of_the_handler_is_reported(load):
    worker = load("import sys\ndef on_fetch(request): sys.exit(3)\n")
    assert "SystemExit: 3" in worker.fetch().report.exception
    assert worker.alive


@inside
def test_executor_runs_inline_with_its_exceptions():
    import asyncio

    loop = asyncio.get_running_loop()
    done = loop.run_in_executor(None, int, "12")
    assert done.done() and done.result() == 12
    assert str(loop.run_in_executor(None, int, "x").exception()).startswith("invalid literal")


class TestEntropy:
    @pytest.mark.parametrize(
        ("line", "exception"),
        [
            (
                "import random; random.random()",
                "RuntimeError: Cannot use random.random() outside of request context",
            ),
            (
                "from random import choice; choice('ab')",
                "RuntimeError: Cannot use random.choice() outside of request context",
            ),
            ("import os; os.urandom(4)", "OSError: [Errno 29] I/O error"),
            ("import uuid; uuid.uuid4()", "OSError: [Errno 29] I/O error"),
            ("import secrets; secrets.token_hex()", "OSError: [Errno 29] I/O error"),
        ],
    )
    def test_refused_while_the_module_loads(self, load_failure, line, exception):
        assert load_failure(f"{line}\ndef on_fetch(r): pass\n").exception == exception

    def test_given_to_packages_and_to_handlers(self, load):
        worker = load(
            "import multiprocessing, random, secrets, sys, tempfile, uuid\n"
            "sys.path.append(__file__.rpartition('/src/')[0] + '/python_modules')\n"
            "import brought_along\n"
            "from js import Response\n"
            "from random import randint\n"
            "seeded = random.Random(1).random()\n"
            "def on_fetch(request):\n"
            "    secrets.token_hex(); uuid.uuid4()\n"
            "    return Response.new(str(randint(3, 3)))\n",
            {"python_modules/brought_along.py": "import uuid\nKEY = uuid.uuid4()\n"},
        )
        assert worker.fetch().text == "3"
