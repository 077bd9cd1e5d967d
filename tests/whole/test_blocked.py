"""Code that waits for ever where it cannot be left: its isolate is ended, with the reason and the line."""

from __future__ import annotations

from pathlib import Path

import httpx
from emulated import Emulated

WRANGLER = (
    'name = "my-worker"\nmain = "src/entry.py"\ncompatibility_date = "2026-03-01"\n'
    'compatibility_flags = ["python_workers", "disable_python_no_global_handlers"]\n'
)
BELOW_JAVASCRIPT = """
import threading
from js import Array, Response
from pyodide.ffi import create_proxy

def wait(*_):
    threading.Event().wait()

async def on_fetch(request, env):
    if request.url.endswith('/wait'):
        Array.of(1).forEach(create_proxy(wait))
    return Response.new('ok')
"""
TOP_LEVEL = "import threading\n\nthreading.Event().wait()\n"


def _project(directory: Path, source: str) -> Path:
    (directory / "src").mkdir(parents=True)
    (directory / "wrangler.toml").write_text(WRANGLER, encoding="utf-8")
    (directory / "src" / "entry.py").write_text(source, encoding="utf-8")
    return directory


def test_below_javascript(tmp_path: Path) -> None:
    with Emulated(_project(tmp_path / "w", BELOW_JAVASCRIPT), log=tmp_path / "log", fake=False) as server:
        answer = httpx.get(f"{server.url}/wait", timeout=30, trust_env=False)
        after = httpx.get(f"{server.url}/ok", timeout=30, trust_env=False)

        assert answer.status_code == 500
        assert "The Worker's code blocked" in answer.text
        assert "src/entry.py:7 in wait" in answer.text
        assert after.text == "ok"
        assert "SIGALRM" not in server.output


def test_at_the_top_level(tmp_path: Path) -> None:
    with Emulated(_project(tmp_path / "w", TOP_LEVEL), log=tmp_path / "log", fake=False) as server:
        answer = httpx.get(f"{server.url}/", timeout=30, trust_env=False)
        assert answer.status_code == 500
        assert "src/entry.py:3" in answer.text

        (tmp_path / "w" / "src" / "entry.py").write_text(BELOW_JAVASCRIPT, encoding="utf-8")

        server.saw("Reloaded")
        assert httpx.get(f"{server.url}/ok", timeout=30, trust_env=False).text == "ok"
