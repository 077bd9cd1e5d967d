"""The Dockerfile's steps, without Docker: run in a clean environment under a directory of their own.

Not run here: the base images, ``useradd`` (it writes the image's /etc) and Docker's port mapping.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from serving import READY

REPOSITORY = Path(__file__).parents[2]
NOBODY = 65534
HELLO = "Hello from Python on Cloudflare Workers!"


@dataclass
class Stage:
    """One FROM and what follows it: ``steps`` of (instruction, argument)."""

    base: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def all(self, instruction: str) -> list[str]:
        return [argument for name, argument in self.steps if name == instruction]


def parse_dockerfile(text: str) -> list[Stage]:
    """The stages of a Dockerfile, with continued lines joined."""
    joined = re.sub(r"\\\n\s*", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE))
    stages: list[Stage] = []
    for line in filter(None, map(str.strip, joined.splitlines())):
        instruction, _, argument = line.partition(" ")
        if instruction == "FROM":
            stages.append(Stage(argument))
        elif stages:
            stages[-1].steps.append((instruction, argument.strip()))
    return stages


def base_python() -> str:
    """A Python that any user may run, with ``venv``: the test run's own may lie in a private directory."""
    candidates = [os.path.realpath(sys.executable), "/usr/bin/python3", "/usr/local/bin/python3"]
    check = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))"
    for candidate in candidates:
        try:
            if subprocess.run([candidate, "-c", check], check=False, **as_user()).returncode == 0:
                return candidate
        except OSError:
            continue
    pytest.skip("no Python 3.11 or later that an unprivileged user may run")


def as_user() -> dict[str, object]:
    """Arguments of ``subprocess`` that drop root's rights; none for others."""
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


@dataclass
class Image:
    """A directory that stands for the image's /, and the runtime stage's settings."""

    root: Path
    stage: Stage
    python: str

    def place(self, text: str) -> str:
        """``text`` with the image's directories where they are here."""
        return re.sub(r"(?<![\w.])/(src|opt/cfw-emu|worker)\b", rf"{self.root}/\1", text)

    @property
    def environment(self) -> dict[str, str]:
        """Nothing but what the Dockerfile sets; ``python`` is the base image's."""
        path = f"{self.root}/bin:/usr/bin:/bin"
        found = {"PATH": path, "HOME": str(self.root / "home"), "LANG": "C.UTF-8"}
        for line in self.stage.all("ENV"):
            for name, value in re.findall(r"(\w+)=(\S+)", line):
                found[name] = self.place(value).replace("$PATH", path)
        return found

    def command(self, *extra: str) -> list[str]:
        words = json.loads(self.stage.all("ENTRYPOINT")[-1]) + json.loads(self.stage.all("CMD")[-1])
        return [self.place(word) for word in [*words, *extra]]


def build(root: Path) -> Image:
    """Run the first stage's steps, and lay out the second's directories."""
    first, second = parse_dockerfile((REPOSITORY / "Dockerfile").read_text(encoding="utf-8"))
    image = Image(root, second, base_python())
    for directory in ("bin", "home", "src", "opt", "worker"):
        (root / directory).mkdir()
    wrapper = root / "bin" / "python"
    wrapper.write_text(f'#!/bin/sh\nexec {image.python} "$@"\n')
    wrapper.chmod(0o755)
    pip = {
        name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "REQUESTS_"))
    }
    for instruction, argument in first.steps:
        if instruction == "COPY":
            copy_into(root / "src", *argument.split())
        elif instruction == "RUN":
            command = ["sh", "-euc", image.place(argument)]
            subprocess.run(command, cwd=root / "src", env=pip | image.environment, check=True)
    return image


def copy_into(directory: Path, *words: str) -> None:
    """COPY: each file, or a directory's content, to the last word."""
    *sources, target = words
    for source in map(REPOSITORY.joinpath, sources):
        if source.is_dir():
            shutil.copytree(source, directory / target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, directory / target)


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    with tempfile.TemporaryDirectory(prefix="cfw-emu-image-") as directory:
        Path(directory).chmod(0o755)
        yield build(Path(directory))


def test_the_build_context_has_what_is_copied() -> None:
    first, _ = parse_dockerfile((REPOSITORY / "Dockerfile").read_text(encoding="utf-8"))
    let_through = {
        line[1:].rstrip("/")
        for line in (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    copied = {source for line in first.all("COPY") for source in line.split()[:-1]}
    assert copied == let_through
    assert all((REPOSITORY / source).exists() for source in copied)


def test_runs_as_a_user_without_rights_and_in_slim() -> None:
    _, second = parse_dockerfile((REPOSITORY / "Dockerfile").read_text(encoding="utf-8"))
    assert second.base.endswith("-slim")
    assert second.all("USER") == ["cfw"]
    assert second.all("EXPOSE") == ["8787"]
    assert "curl" not in second.all("HEALTHCHECK")[0]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_steps_give_an_image_that_serves_a_read_only_project(image: Image) -> None:
    worker = image.root / "worker"
    shutil.copytree(REPOSITORY / "sample-workers" / "python-hello", worker, dirs_exist_ok=True)
    log = image.root / "output"
    for path in [*worker.rglob("*"), worker]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    with log.open("wb") as output:
        process = subprocess.Popen(
            image.command("--port", "0"),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=worker,
            env=image.environment | {"WATCHFILES_FORCE_POLLING": "true"},
            **as_user(),
        )
    try:
        port = wait_for_port(process, log)
        assert fetch(image, port) == HELLO
        assert run_health_check(image, port) == 0
        entry = worker / "src" / "entry.py"
        entry.chmod(0o644)  # the owner saves; the server's user still may not
        entry.write_text(entry.read_text().replace("Hello from", "Saved by"))
        end = time.monotonic() + 20
        while fetch(image, port) == HELLO and time.monotonic() < end:
            time.sleep(0.05)
        assert fetch(image, port) == HELLO.replace("Hello from", "Saved by")
        process.send_signal(getattr(signal, image.stage.all("STOPSIGNAL")[-1]))
        assert process.wait(10) == 0
        assert run_health_check(image, port) != 0
    except BaseException as error:
        error.add_note(log.read_text(errors="replace"))
        raise
    finally:
        process.kill()
        process.wait()


def wait_for_port(process: subprocess.Popen[bytes], log: Path) -> str:
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        if ready := READY.search(log.read_text(errors="replace")):
            return ready[2]
        time.sleep(0.02)
    raise AssertionError("no Ready line")


def fetch(image: Image, port: str) -> str:
    program = f"import urllib.request as r; print(r.urlopen('http://127.0.0.1:{port}/').read().decode())"
    done = subprocess.run(["python", "-c", program], env=image.environment, capture_output=True, check=True)
    return done.stdout.decode().rstrip("\n")


def run_health_check(image: Image, port: str) -> int:
    """The exit code of the HEALTHCHECK's command, for a server on ``port``."""
    command = json.loads(image.stage.all("HEALTHCHECK")[0].partition("CMD ")[2])
    words = [word.replace("8787", port) for word in command]
    return subprocess.run(words, env=image.environment, capture_output=True, check=False).returncode
