"""The project's own esbuild, which wrangler brings: finding it, and asking it for a bundle.

Its binary needs no Node.js. It is run as esbuild's JavaScript API runs it, so that imports can be resolved
here, as wrangler's plugins do.
"""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from emulator.project.bundle.packets import Malformed, Packet, decode, encode

BINARY_VARIABLE: Final = "ESBUILD_BINARY_PATH"
"""esbuild's own environment variable for the path of its binary."""

_SYSTEMS: Final = {"linux": "linux", "darwin": "darwin", "win32": "win32"}
_MACHINES: Final = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64", "i686": "ia32"}
_VERSION_SECONDS: Final = 10.0
_PACKET_BYTES: Final = 1 << 30
_LENGTH_BYTES: Final = 4
_BUILD_KEY: Final = 1
_PLUGIN: Final = "cfw-emu"
_OWN: Final = 1
"""Marks imports that are resolved on our own behalf: these go past us."""

Answer = Mapping[str, Any]
Steps = Generator[Answer, Answer, Answer | None]
Resolve = Callable[["Import"], Steps]
"""A generator: it yields questions (imports to resolve as esbuild would) and is sent what comes of them; what
it returns is where the import leads, or None for what esbuild makes of it."""


class EsbuildFailed(Exception):
    """There is no bundle; the text says why."""


class Import(NamedTuple):
    """An import that esbuild asks about."""

    path: str
    """As it is written."""
    importer: str
    directory: str
    kind: str
    """``import-statement``, ``require-call``, ``dynamic-import``..."""


class Built(NamedTuple):
    """What came of a build."""

    outputs: list[tuple[str, bytes]]
    """Path and content of each file."""
    metafile: str
    """JSON: https://esbuild.github.io/api/#metafile"""


def find_esbuild(root: Path, process_env: Mapping[str, str]) -> Path | None:
    """The binary that wrangler in the project at ``root`` would run, else another that is installed there.

    Packages are looked for as Node.js does, from the directory upwards; so those of npm, of pnpm and of
    workspaces are found, and of Yarn's Plug'n'Play those that it has unpacked.
    """
    if named := process_env.get(BINARY_VARIABLE):
        return Path(named) if os.path.isfile(named) else None
    package = _binary_package()
    for start in _starts(root):
        found = _package(start, package)
        if found and (binary := _binary(found)):
            return binary
    return next(filter(None, map(_binary, _unplugged(root, package))), None)


def _starts(root: Path) -> Iterator[Path]:
    """Directories whose packages are tried: of wrangler's esbuild, of the project's own, of the project."""
    wrangler = _package(root, "wrangler")
    for directory in (wrangler, root):
        if directory is not None:
            esbuild = _package(directory, "esbuild")
            yield from (path for path in (esbuild, directory) if path)


def _package(directory: Path, name: str) -> Path | None:
    """A package as Node.js finds it from ``directory``; without links, as Node.js goes on from there."""
    for parent in (directory, *directory.parents):
        found = parent / "node_modules" / name
        if parent.name != "node_modules" and found.is_dir():
            return Path(os.path.realpath(found))
    return None


def _unplugged(root: Path, package: str) -> Iterator[Path]:
    stem = package.replace("/", "-")
    for parent in (root, *root.parents):
        yield from sorted((parent / ".yarn" / "unplugged").glob(f"{stem}-npm-*/node_modules/{package}"))


def _binary_package() -> str:
    system = _SYSTEMS.get(sys.platform, sys.platform)
    machine = platform.machine().lower()
    return f"@esbuild/{system}-{_MACHINES.get(machine, machine)}"


def _binary(package: Path) -> Path | None:
    places = (package / "esbuild.exe", package / "bin" / "esbuild")
    return next((path for path in places if path.is_file() and os.access(path, os.X_OK)), None)


def build(
    binary: Path, version: str, request: Mapping[str, Any], filters: str, resolve: Resolve, seconds: float
) -> Built:
    """Run one build with an esbuild of this version.

    ``request`` has ``entries``, ``flags`` and ``absWorkingDir`` as esbuild's API sends them; ``resolve`` is
    asked about imports that match the regular expression ``filters`` (Go's syntax). Raises
    ``EsbuildFailed``, also when it takes longer than ``seconds``.
    """
    service = _Service(binary, version, resolve)
    alarm = threading.Timer(seconds, service.expire)
    alarm.daemon = True
    alarm.start()
    try:
        plugin = {
            "name": _PLUGIN,
            "onStart": False,
            "onEnd": False,
            "onResolve": [{"id": 0, "filter": filters, "namespace": ""}],
            "onLoad": [],
        }
        return _built(service.ask({**_BUILD, **request, "plugins": [plugin]}))
    except (OSError, Malformed, EOFError) as error:
        late = "it took too long" if service.expired else ""
        raise EsbuildFailed(late or service.complaint() or str(error)) from error
    except (KeyError, TypeError, AttributeError) as error:
        raise EsbuildFailed(f"esbuild {version} talks in a way that is not known here: {error}") from error
    finally:
        alarm.cancel()
        service.close()


_BUILD: Final[Mapping[str, Any]] = {
    "command": "build",
    "key": _BUILD_KEY,
    "write": False,
    "stdinContents": None,
    "stdinResolveDir": None,
    "nodePaths": [],
    "context": False,
}


def refusal(text: str) -> Answer:
    """What ``Resolve`` returns for an import that cannot be resolved."""
    message = {"id": "", "pluginName": _PLUGIN, "text": text, "location": None, "detail": -1}
    return {"errors": [{**message, "notes": list[Any]()}]}


def _built(answer: Mapping[str, Any]) -> Built:
    errors = answer.get("errors") or []
    if errors:
        first = errors[0]
        place = first.get("location") or {}
        where = f"{place.get('file')}:{place.get('line')}: " if place.get("file") else ""
        raise EsbuildFailed(f"{where}{first.get('text', '')}")
    files = answer.get("outputFiles") or []
    return Built([(file["path"], file["contents"]) for file in files], answer.get("metafile") or "{}")


class _Service:
    """One process of esbuild's. Questions go both ways, and each has an id."""

    def __init__(self, binary: Path, version: str, resolve: Resolve) -> None:
        self._resolve = resolve
        self.expired = False
        command = [str(binary), f"--service={version}"]
        try:
            # An esbuild that complains at length must not wait for somebody to read it.
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError as error:
            raise EsbuildFailed(f"{binary}: {error.strerror or error}") from error
        assert self._process.stdin is not None and self._process.stdout is not None
        self._in: IO[bytes] = self._process.stdin
        self._out: IO[bytes] = self._process.stdout
        self._greeted = False
        self._ids = 0
        self._waiting: dict[int, Callable[[Any], None]] = {}

    def ask(self, request: Mapping[str, Any]) -> Any:
        """The answer to ``request``; esbuild's own questions are answered meanwhile."""
        answers: list[Any] = []
        self._send_request(request, answers.append)
        while not answers:
            packet = decode(self._read())
            if not packet.is_request:
                self._waiting.pop(packet.id)(packet.value)
            else:
                self._asked(packet)
        if isinstance(answers[0], dict) and isinstance(problem := answers[0].get("error"), str):
            raise EsbuildFailed(problem)
        return answers[0]

    def _asked(self, packet: Packet) -> None:
        value = packet.value
        if value.get("command") != "on-resolve":
            self._send(Packet(packet.id, False, {"errors": [], "warnings": []}))  # on-start, on-end
            return
        asked = Import(value["path"], value["importer"], value["resolveDir"], value["kind"])
        if value.get("pluginData") == _OWN:
            self._send(Packet(packet.id, False, {}))
        else:
            self._step(packet.id, asked, self._resolve(asked), None)

    def _step(self, id: int, asked: Import, steps: Steps, answer: Answer | None) -> None:
        """Go on with an import until esbuild has to be asked, or it is known where the import leads."""
        try:
            question = next(steps) if answer is None else steps.send(answer)
        except StopIteration as end:
            known = {"id": 0, **end.value} if end.value is not None else {}
            self._send(Packet(id, False, known))
            return
        request = {
            "command": "resolve",
            "key": _BUILD_KEY,
            "pluginName": _PLUGIN,
            "path": question["path"],
            "importer": asked.importer,
            "resolveDir": question.get("resolveDir", asked.directory),
            "kind": asked.kind,
            "pluginData": _OWN,
        }
        self._send_request(request, lambda value: self._step(id, asked, steps, value))

    def _send_request(self, value: Any, then: Callable[[Any], None]) -> None:
        self._ids += 1
        self._waiting[self._ids] = then
        self._send(Packet(self._ids, True, dict(value)))

    def _send(self, packet: Packet) -> None:
        self._in.write(encode(packet))
        self._in.flush()

    def _read(self) -> bytes:
        if not self._greeted:
            self._greeted = True
            self._read()  # its version
        size = int.from_bytes(self._exactly(_LENGTH_BYTES), "little")
        if size > _PACKET_BYTES:
            raise Malformed(f"a packet of {size} bytes")
        return self._exactly(size)

    def _exactly(self, size: int) -> bytes:
        data = self._out.read(size)
        if len(data) != size:
            raise EOFError("esbuild ended")
        return data

    def complaint(self) -> str:
        """How the process ended by itself; empty while it runs."""
        status = self._process.poll()
        return "" if status is None else f"esbuild ended with status {status}"

    def expire(self) -> None:
        """Its time is over; for another thread to call."""
        self.expired = True
        self._process.kill()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for stream in (self._in, self._out):
            with contextlib.suppress(OSError):  # what it was never sent
                stream.close()


def version_of(binary: Path) -> str:
    """Such as ``0.27.3``; the service talks only to who names it. Raises ``EsbuildFailed``."""
    try:
        found = subprocess.run(
            [str(binary), "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_VERSION_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise EsbuildFailed(f"{binary}: {getattr(error, 'strerror', None) or error}") from error
    version = found.stdout.decode("utf-8", "replace").strip()
    if found.returncode or not version or len(version.split()) != 1:
        raise EsbuildFailed(f"{binary} does not tell its version")
    return version
