"""The table: what was measured, beside the targets, with the machine and the versions."""

from __future__ import annotations

import datetime
import json
import os
import platform
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from harness.servers import PEERS, WORKERD_HOME


@dataclass(frozen=True)
class Row:
    """One line of the table. ``met`` is None where the project set no target."""

    what: str
    who: str
    measured: str
    target: str = ""
    met: bool | None = None

    def cells(self) -> list[str]:
        verdict = {None: "", True: "met", False: "**missed**"}[self.met]
        return [self.what, self.who, self.measured, self.target, verdict]


HEADER = ["what", "who", "measured", "target", "verdict"]


def table(rows: Iterable[Row]) -> str:
    """A Markdown table, aligned so that it reads well on a terminal too."""
    cells = [HEADER, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADER))]
    lines = [
        " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in cells
    ]
    lines.insert(1, " | ".join("-" * width for width in widths))
    return "\n".join(f"| {line} |" for line in lines)


def machine() -> list[str]:
    """Facts of the machine that the numbers depend on."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return [
        f"{os.cpu_count()} cores, {cpu}, {memory:.0f} GB of memory",
        f"{platform.system()} {platform.release()}, {platform.libc_ver()[0]} {platform.libc_ver()[1]}",
    ]


def versions() -> list[str]:
    """Of everything that is measured or measures."""
    packages = ["cfw-emu", "uvicorn", "uvloop", "httptools", "starlette", "quickjs-bindings"]
    packages += ["workers-runtime-sdk", "pyodide-py", "wasmtime"]
    found = [f"CPython {platform.python_version()}", *(f"{name} {version(name)}" for name in packages)]
    if PEERS.exists():
        node = subprocess.run(
            ["node", "--version"], capture_output=True, text=True, check=False
        ).stdout.strip()
        found += [
            f"Node {node}",
            f"wrangler {_npm_version(PEERS, 'wrangler')} with workerd {_npm_version(PEERS, 'workerd')}",
            f"workerd {_npm_version(WORKERD_HOME, 'workerd')}",
        ]
    return found


def _npm_version(home: Path, name: str) -> str:
    manifest = home / "node_modules" / name / "package.json"
    return str(json.loads(manifest.read_text())["version"]) if manifest.exists() else "(not installed)"


def document(rows: list[Row], commands: dict[str, str], notes: list[str], load: float) -> str:
    """The whole of RESULTS.md. ``load`` is the machine's load average before anything was started."""
    now = datetime.datetime.now(datetime.UTC)
    parts = [
        "# Benchmark results",
        f"Written by `benchmarks/run` on {now:%Y-%m-%d %H:%M} UTC; "
        "do not edit. Medians of one run on one machine: compare the ratios, not the digits.",
        table(rows),
        "## How",
        "\n".join(f"- {note}" for note in notes),
        "\n".join(f"- {name}: `{command}`" for name, command in commands.items()),
        "## Where",
        "\n".join(
            f"- {line}" for line in [*machine(), f"load average before: {load:.2f}", ", ".join(versions())]
        ),
    ]
    return "\n\n".join(parts) + "\n"
