"""The command line: options, start-up mistakes, exit codes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from emulated import HERE, ROOT, Emulated, project

SHOW_VARS = """
import json
async def fetch(isolate, event, body):
    return 200, [], json.dumps(spec.vars).encode()
"""


def run(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}"}
    command = [sys.executable, "-m", "emulator", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=30, cwd=cwd)


def test_version() -> None:
    done = run("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("cfw-emu ")


@pytest.mark.parametrize("command", ["serve", "dev"])
def test_help_names_every_option(command: str) -> None:
    done = run(command, "--help")
    assert done.returncode == 0
    for option in (
        "--port",
        "--host",
        "--ip",
        "--env",
        "--var",
        "--persist-to",
        "--limits",
        "--no-reload",
        "--log-level",
    ):
        assert option in done.stdout


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("serve", project(tmp_path), "--port", str(port))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"Port {port} on 127.0.0.1 is in use: stop the other program, or choose another with --port.\n"
    )


def test_a_directory_without_a_project(tmp_path: Path) -> None:
    done = run("serve", cwd=tmp_path)
    assert done.returncode == 1
    assert "wrangler" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("factor", ["nan", "0", "-1", "inf", "1e9", "x", ""])
def test_a_factor_that_makes_no_sense(factor: str, tmp_path: Path) -> None:
    done = run("serve", project(tmp_path / "w"), "--port", "0", "--cpu-scale", factor)
    assert done.returncode == 2
    assert "Invalid value for '--cpu-scale'" in done.stderr and "Traceback" not in done.stderr


def test_a_malformed_variable(tmp_path: Path) -> None:
    done = run("serve", project(tmp_path), "--var", "NOVALUE")
    assert done.returncode == 1
    assert "NOVALUE" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_broken_configuration_ends_with_its_report(tmp_path: Path) -> None:
    root = project(tmp_path)
    (root / "wrangler.toml").write_text('name = 5\nmain = "entry.py"\n')
    done = run("serve", root)
    assert done.returncode == 1
    assert "wrangler.toml:1" in done.stderr


def test_modules_of_the_current_directory_do_not_shadow_the_library(tmp_path: Path) -> None:
    root = project(tmp_path / "w")
    for name in ("socket.py", "struct.py", "click.py"):
        (root / name).write_text("raise RuntimeError('shadowed')")
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}"}
    program = "import sys; from emulator.fleet.launch import launch; p = launch('fake_isolate'); print(p.process.pid)"
    program += "; p.control.close(); sys.exit(p.process.wait())"
    done = subprocess.run([sys.executable, "-P", "-c", program], cwd=root, env=environment, timeout=30)
    assert done.returncode == 0


def test_variables_environment_and_secrets(tmp_path: Path) -> None:
    root = project(tmp_path / "w", SHOW_VARS, extra='[env.staging.vars]\nA = "staging"\nB = "file"\n')
    (root / ".dev.vars.staging").write_text("TOKEN=hush")
    arguments = (root, "--env", "staging", "--var", "B:a:b", "--var", "C:")
    with Emulated(*arguments, log=tmp_path / "log") as server:
        variables = httpx.get(server.url, trust_env=False).json()
        assert variables == {"A": "staging", "B": "a:b", "C": "", "TOKEN": "hush"}
        assert "hush" not in server.output


def test_no_reload_and_log_level(tmp_path: Path) -> None:
    root = project(tmp_path / "w")
    with Emulated(root, "--no-reload", "--log-level", "error", log=tmp_path / "log") as server:
        (root / "entry.py").write_text("raise ValueError")
        assert httpx.get(server.url, trust_env=False).text == "hello"
        assert "GET /" not in server.output


def test_standard_output_that_nobody_reads_does_not_stop_the_server(tmp_path: Path) -> None:
    root = project(tmp_path / "w")
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}"}
    command = [sys.executable, str(HERE / "fake_serve.py"), "serve", str(root), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stdout is not None
        ready = next(line for line in process.stdout if "Ready on" in line)
        url = ready.split()[-1].replace("localhost", "127.0.0.1")
        try:
            with httpx.Client(trust_env=False) as client:
                for _ in range(60):
                    assert client.get(f"{url}/{'x' * 2000}").status_code == 200
        finally:
            process.terminate()
        assert process.wait(5) == 0


def test_a_fork_server_that_cannot_boot_ends_with_its_error(tmp_path: Path) -> None:
    root = project(tmp_path / "w")
    program = "from emulator.cli.commands import cfw_emu; from emulator.fleet.launch import launch; "
    program += "cfw_emu.main(prog_name='cfw-emu', obj=launch('nosuchmodule'))"
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}"}
    command = [sys.executable, "-c", program, "serve", str(root), "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=30)
    assert done.returncode == 1
    assert "nosuchmodule" in done.stderr
    assert "The fork server could not start" in done.stderr
    assert "Ready on" not in done.stdout
