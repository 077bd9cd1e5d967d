"""The packages that the platform's Python runtime brings.

https://developers.cloudflare.com/workers/languages/python/packages/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PROVIDED: Final = frozenset(
    {
        *("aiohttp", "aiohappyeyeballs", "aiosignal", "annotated-types", "anyio", "async-timeout", "attrs"),
        *("certifi", "charset-normalizer", "distro", "fastapi", "frozenlist", "h11", "httpcore", "httpx"),
        *("httpx-sse", "idna", "jsonpatch", "jsonpointer", "langchain", "langchain-core", "langchain-openai"),
        *("langsmith", "micropip", "multidict", "numpy", "openai", "packaging", "propcache", "pydantic"),
        *("pydantic-core", "pyyaml", "regex", "requests", "six", "sniffio", "starlette", "tenacity"),
        *("tiktoken", "typing-extensions", "typing-inspection", "urllib3", "yarl"),
    }
)

_IMPORT_NAMES: Final = {"yaml": "pyyaml", "-yaml": "pyyaml", "attr": "attrs"}
"""Top-level modules that are not called as their package is."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_READ_BYTES: Final = 1_000_000


def package_of(entry: str) -> str:
    """The package that a file or directory of ``python_modules`` belongs to: ``pydantic_core`` is of
    pydantic-core, ``fastapi-0.115.dist-info`` of fastapi, ``typing_extensions.py`` of typing-extensions."""
    if entry.endswith((".dist-info", ".libs", ".data")):
        entry = entry.rpartition(".")[0].partition("-")[0]
    name = normalized(entry.partition(".")[0] if entry.endswith((".py", ".pyi", ".so")) else entry)
    return _IMPORT_NAMES.get(name, name)


def normalized(name: str) -> str:
    """https://packaging.python.org/en/latest/specifications/name-normalization/"""
    return re.sub(r"[-_.]+", "-", name).lower()


def required(root: Path) -> list[str]:
    """The packages that ``requirements.txt`` and ``pyproject.toml`` ask for, normalized, in their order."""
    return list(dict.fromkeys([*requirements(root), *dependencies(root)]))


def requirements(root: Path) -> Iterator[str]:
    """The packages of ``requirements.txt``, normalized."""
    for line in _text(root / "requirements.txt").splitlines():
        if match := _NAME.match(line.strip()):
            yield normalized(match[0])


def dependencies(root: Path) -> Iterator[str]:
    """The packages of ``pyproject.toml``, normalized: pywrangler vendors them when it deploys."""
    text = _text(root / "pyproject.toml")
    if not text:
        return
    # Few projects need it: start-up time is a feature.
    import tomllib

    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return
    project = data.get("project")
    listed = project.get("dependencies") if isinstance(project, dict) else None
    for item in listed if isinstance(listed, list) else []:
        if isinstance(item, str) and (match := _NAME.match(item.strip())):
            yield normalized(match[0])


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_READ_BYTES).decode("utf-8-sig", "replace")
    except OSError:
        return ""
