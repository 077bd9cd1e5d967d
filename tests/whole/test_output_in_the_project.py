"""``cfw-emu serve . > output.txt``: what is printed is in a directory that is watched."""

from __future__ import annotations

import time
from pathlib import Path

from serving import Server

WORKER = 'export default { fetch() { return new Response("version %d"); } };'


def test_what_is_printed_reloads_nothing(tmp_path: Path) -> None:
    (tmp_path / "wrangler.toml").write_text('name = "w"\nmain = "w.js"\ncompatibility_date = "2026-01-01"\n')
    (tmp_path / "w.js").write_text(WORKER % 0)
    with Server(str(tmp_path), log=tmp_path / "output.txt") as server:
        for version in range(1, 4):
            (tmp_path / "w.js").write_text(WORKER % version)
            end = time.monotonic() + 20
            while (answer := server.get()) != f"version {version}":
                assert time.monotonic() < end, answer
            for _ in range(10):  # each prints a line, and "Reloaded" would be one more
                server.get()
                time.sleep(0.03)
        # A save that is seen half done is two; each line that is printed would be one more.
        assert server.output.count("Reloaded") <= 2 * 3
