"""What a Worker is told about its machine."""

from __future__ import annotations

from inside import inside


@inside
def test_environment_is_the_platforms():
    import os

    assert sorted(os.environ)[:3] == ["HOME", "LANG", "LD_LIBRARY_PATH"]
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "USER", "LOGNAME", "PATH", "PWD")}
    assert kept == {
        "HOME": "/session",
        "LANG": "en.UTF-8",
        "USER": "web_user",
        "LOGNAME": "web_user",
        "PATH": "/",
        "PWD": "/",
    }
    assert "PYTHONPATH" not in os.environ and "TZ" not in os.environ
    os.environ["MINE"] = "1"
    assert os.getenv("MINE") == "1"
    del os.environ["MINE"]


@inside
def test_machine():
    import getpass
    import multiprocessing
    import os
    import platform
    import socket
    import sys
    import sysconfig

    assert (sys.platform, os.name, sys.executable, sys.argv) == (
        "emscripten",
        "posix",
        "/session/this.program",
        [""],
    )
    assert (platform.machine(), platform.system(), platform.node()) == ("wasm32", "Emscripten", "emscripten")
    assert (platform.platform(), platform.processor()) == ("Emscripten-4.0.9-wasm32-32bit", "")
    assert (os.getpid(), os.getppid(), os.getuid(), os.getlogin(), getpass.getuser()) == (
        42,
        1,
        0,
        "web_user",
        "web_user",
    )
    assert (os.cpu_count(), multiprocessing.cpu_count()) == (1, 1)
    assert (socket.gethostname(), socket.getfqdn()) == ("emscripten", "emscripten")
    assert sysconfig.get_platform() == "emscripten-4.0.9-wasm32"
    assert sysconfig.get_config_var("prefix")


@inside
def test_time_zone_is_utc():
    import datetime
    import time

    assert time.tzname == ("UTC-0000", "UTC-0000")
    assert datetime.datetime.now().astimezone().utcoffset() == datetime.timedelta()
