"""A program that talks as ``esbuild --service`` does, and says what a test wants it to say."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

_PROGRAM = """#!{python}
import json, os, struct, sys, time
from pathlib import Path
sys.path.insert(0, {root!r})
from emulator.project.bundle.packets import Packet, decode, encode

script = json.loads(Path(__file__ + ".json").read_text())
if sys.argv[1:] == ["--version"]:
    print(script.get("version", "0.99.1"))
    sys.exit(script.get("status", 0))
assert sys.argv[1:] == ["--service=" + script.get("version", "0.99.1")]

def send(packet):
    sys.stdout.buffer.write(encode(packet))
    sys.stdout.buffer.flush()

def read():
    (size,) = struct.unpack("<I", sys.stdin.buffer.read(4))
    return decode(sys.stdin.buffer.read(size))

def ask(value):
    send(Packet(7, True, value))
    while (packet := read()).is_request:
        path = os.path.normpath(os.path.join(packet.value["resolveDir"], packet.value["path"]))
        found = {{"path": path}} if os.path.exists(path) else {{"errors": [{{"text": "no such file"}}]}}
        send(Packet(packet.id, False, found))
    assert packet.id == 7
    return packet.value

version = b"0.99.1"
sys.stdout.buffer.write(struct.pack("<I", len(version)) + version)
request = read()
told = {{"request": request.value, "answers": []}}
if "hang" in script:
    Path(__file__ + ".pid").write_text(str(os.getpid()))
    time.sleep(60)
if "garbage" in script:
    sys.stdout.buffer.write(struct.pack("<I", 3) + b"abc")
    sys.stdout.buffer.flush()
    time.sleep(60)
if "die" in script:
    sys.exit(3)
assert ask({{"command": "on-start", "key": 1}}) == {{"errors": [], "warnings": []}}
for path, directory, kind in script.get("imports", []):
    asked = {{"path": path, "importer": "", "namespace": "file", "resolveDir": directory, "kind": kind}}
    told["answers"].append(ask({{"command": "on-resolve", "key": 1, "ids": [0], **asked}}))
Path(__file__ + ".told").write_text(json.dumps(told))
if "error" in script:
    place = {{"file": "src/index.js", "line": 3}}
    answer = {{"errors": [{{"text": script["error"], "location": place}}], "warnings": []}}
elif "refusal" in script:
    answer = {{"error": script["refusal"]}}
else:
    name = script.get("output", "dist/index.js")
    inputs = {{path: {{"bytesInOutput": size}} for path, size in script.get("parts", {{}}).items()}}
    meta = {{"outputs": {{name + ".map": {{"inputs": {{}}}}, name: {{"entryPoint": "index.js", "inputs": inputs}}}}}}
    place = os.path.join(request.value["absWorkingDir"], name)
    files = [{{"path": place + ".map", "contents": b"map"}}]
    files.append({{"path": place, "contents": b"x" * script.get("size", 0)}})
    answer = {{"errors": [], "warnings": [], "outputFiles": files, "metafile": json.dumps(meta)}}
send(Packet(request.id, False, answer))
sys.stdin.buffer.read()
"""

ROOT = Path(__file__).resolve().parents[2]


def fake_esbuild(path: Path, **script: Any) -> Path:
    """Write the program. What it was asked and answered is in ``told(path)`` afterwards.

    ``imports``: ``[path, directory, kind]`` each, to ask about; ``size`` of the bundle, ``parts`` of it;
    ``error`` in the source; ``refusal``, ``die``, ``hang`` or ``garbage`` in place of an answer.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_PROGRAM.format(python=sys.executable, root=str(ROOT)), encoding="utf-8")
    path.chmod(0o755)
    Path(f"{path}.json").write_text(json.dumps(script), encoding="utf-8")
    return path


def told(path: Path) -> dict[str, Any]:
    """``request`` and ``answers`` (to what it asked about its imports)."""
    found: dict[str, Any] = json.loads(Path(f"{path}.told").read_text(encoding="utf-8"))
    return found
