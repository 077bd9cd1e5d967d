"""What ``wrangler deploy`` uploads of a JavaScript Worker: esbuild's bundle, made with wrangler's options.

https://developers.cloudflare.com/workers/wrangler/bundling/
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from emulator.config import Config
from emulator.project.bundle.esbuild import (
    Answer,
    Built,
    EsbuildFailed,
    Import,
    Steps,
    build,
    find_esbuild,
    refusal,
    version_of,
)
from emulator.project.bundle.rules import Rules, additional_modules, import_pattern, rules_of

BUILD_SECONDS: Final = 15.0

_CONDITIONS: Final = "workerd,worker,browser"
_NAVIGATOR_DAY: Final = "2022-03-21"
_NODE_COMPAT_DAY: Final = "2024-09-23"
_NODE_ENV: Final = ("process.env.NODE_ENV", "global.process.env.NODE_ENV", "globalThis.process.env.NODE_ENV")
_RECENT: Final = (0, 27)
"""esbuild's version from which wrangler's target is ES2024."""
_OUT: Final = "dist"
"""Nothing is written there: the files come back as bytes."""


@dataclass(frozen=True)
class Bundle:
    """The upload of a JavaScript Worker."""

    modules: list[tuple[str, bytes]]
    """Absolute path and content of what is uploaded beside the main module, in wrangler's order."""
    main: bytes
    """The main module as it is uploaded."""
    parts: Mapping[str, int]
    """How many bytes of ``main`` each file makes, by its absolute path."""
    polyfilled: bool = False
    """Wrangler would add its polyfills of Node.js to ``main``, which are not in it here."""

    @property
    def bytes(self) -> int:
        return len(self.main) + sum(len(content) for _, content in self.modules)

    @property
    def files(self) -> dict[str, int]:
        """Bytes in the upload by absolute path: of the modules, and of what the main module is made of."""
        files = dict(self.parts)
        for path, content in self.modules:
            files[path] = files.get(path, 0) + len(content)
        return files


def bundle(config: Config, main: Path, process_env: Mapping[str, str]) -> Bundle | None:
    """What wrangler would upload; None where the project has no esbuild. Raises ``EsbuildFailed``.

    The project is read, and nothing written.
    """
    rules = rules_of(config.rules)
    added = _Collected()
    if config.effective("no_bundle") or config.effective("find_additional_modules"):
        base = config.effective("base_dir")
        root = config.root / base if isinstance(base, str) else main.parent
        for path in additional_modules(Path(os.path.normpath(root)), main, config.path, rules).values():
            added.add(path, path)
    if config.effective("no_bundle"):
        content = _read(str(main))
        return Bundle(added.modules(), content, {str(main): len(content)})
    binary = find_esbuild(config.root, process_env)
    if binary is None:
        return None
    version = version_of(binary)
    collector = _Collector(config, main, rules, added)
    request = {
        "entries": [["", str(main)]],
        "flags": _flags(config, main, version, process_env),
        "absWorkingDir": str(config.root),
    }
    built = build(binary, version, request, collector.filters(), collector.resolve, BUILD_SECONDS)
    return _bundle(built, config, added)


def _bundle(built: Built, config: Config, added: _Collected) -> Bundle:
    try:
        outputs: Mapping[str, Any] = json.loads(built.metafile)["outputs"]
        entry = next(path for path, output in outputs.items() if "entryPoint" in output)
    except (ValueError, KeyError, StopIteration) as error:
        raise EsbuildFailed("it made no bundle") from error
    place = os.path.normpath(config.root / entry)
    main = next((data for path, data in built.outputs if os.path.normpath(path) == place), b"")
    # Several files may stand behind one name, such as those of a namespace of esbuild's own.
    parts = {
        os.path.normpath(config.root / path): part["bytesInOutput"]
        for path, part in outputs[entry]["inputs"].items()
    }
    return Bundle(added.modules(), main, parts, _node_compat(config))


def _flags(config: Config, main: Path, version: str, process_env: Mapping[str, str]) -> list[str]:
    """The options of wrangler's bundling, as arguments of esbuild's."""
    flags = [
        *("--bundle", "--metafile", "--log-level=silent", "--format=esm", *_target(version)),
        *(f"--loader:{suffix}=jsx" for suffix in (".js", ".mjs", ".cjs")),
        *(
            "--sourcemap",
            "--sources-content=false",
            f"--outdir={_OUT}",
            f"--entry-names={_escaped(main.stem)}",
        ),
        f"--conditions={process_env.get('WRANGLER_BUILD_CONDITIONS', _CONDITIONS)}",
        "--external:__STATIC_CONTENT_MANIFEST",
        *(f"--define:{name}={value}" for name, value in _defines(config, process_env).items()),
    ]
    if config.effective("keep_names") is not False:
        flags.append("--keep-names")
    if config.effective("minify"):
        flags.append("--minify")
    if platform := process_env.get("WRANGLER_BUILD_PLATFORM"):
        flags.append(f"--platform={platform}")
    for key, flag in (
        ("jsx_factory", "jsx-factory"),
        ("jsx_fragment", "jsx-fragment"),
        ("tsconfig", "tsconfig"),
    ):
        if isinstance(value := config.effective(key), str):
            flags.append(f"--{flag}={value}")
    return flags


def _target(version: str) -> list[str]:
    """Wrangler's target is newer where its esbuild is."""
    recent = tuple(int(part) for part in re.findall(r"\d+", version)[:2]) >= _RECENT
    return ["--target=es2024", "--supported:import-source=true"] if recent else ["--target=es2022"]


def _escaped(name: str) -> str:
    """Brackets would be placeholders."""
    return re.sub(r"[\[\]]", "_", name)


def _defines(config: Config, process_env: Mapping[str, str]) -> dict[str, str]:
    mode = json.dumps(process_env.get("NODE_ENV") or "production")
    defines = dict.fromkeys(_NODE_ENV, mode)
    flags = config.compatibility_flags
    navigator = config.compatibility_date >= _NAVIGATOR_DAY and "no_global_navigator" not in flags
    if navigator or "global_navigator" in flags:
        defines["navigator.userAgent"] = '"Cloudflare-Workers"'
    own = config.effective("define")
    if isinstance(own, Mapping):
        defines |= {name: value for name, value in own.items() if isinstance(value, str)}
    return defines


def _node_compat(config: Config) -> bool:
    """Whether wrangler polyfills Node.js: https://developers.cloudflare.com/workers/runtime-apis/nodejs/"""
    flags = config.compatibility_flags
    if "nodejs_compat_v2" in flags:
        return True
    by_date = config.compatibility_date >= _NODE_COMPAT_DAY and "no_nodejs_compat_v2" not in flags
    return "nodejs_compat" in flags and by_date


@dataclass
class _Collected:
    """Modules beside the bundle. The same file may be imported under several names."""

    _files: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    def add(self, name: str, path: str) -> bytes:
        content = _read(path)
        self._files[name] = path, content
        return content

    def __contains__(self, path: str) -> bool:
        return path in self._files

    def modules(self) -> list[tuple[str, bytes]]:
        return list(self._files.values())


class _Collector:
    """Where imports lead that esbuild alone would not resolve as with wrangler's plugins."""

    def __init__(self, config: Config, main: Path, rules: Rules, added: _Collected) -> None:
        self._root = str(config.root)
        self._added = added
        self._finds = bool(config.effective("find_additional_modules"))
        alias = config.effective("alias")
        self._alias: dict[str, str] = dict(alias) if isinstance(alias, Mapping) else {}
        self._matchers = [
            (re.compile(import_pattern(glob), re.DOTALL), rule) for rule in rules.used for glob in rule.globs
        ]
        # Wrangler 1 let imports name files beside the entry point without "./".
        self._beside = {
            name: str(main.parent / name)
            for name in _names(main.parent)
            if name != main.name and any(matcher.search(f"./{name}") for matcher, _ in self._matchers)
        }
        self._ignored = [glob for rule in rules.ignored for glob in rule.globs]

    def filters(self) -> str:
        """Which imports esbuild has to ask about, as a regular expression."""
        globs = [*(matcher.pattern for matcher, _ in self._matchers), *map(import_pattern, self._ignored)]
        names = [f"^{re.escape(name)}$" for name in (*self._alias, *self._beside)]
        return "|".join([*globs, *names, "node:", "^cloudflare:"])

    def resolve(self, asked: Import) -> Steps:
        """As ``esbuild.Resolve`` has it."""
        path = asked.path
        if path in self._alias:
            found = yield {"path": self._alias[path], "resolveDir": self._root}
            return {"path": found["path"]} if found.get("path") else None
        clean = path.partition("?")[0]
        if path in self._beside and asked.kind in ("import-statement", "require-call"):
            return self._collect(self._beside[path])
        for matcher, rule in self._matchers:
            if not matcher.search(path) or (rule.is_javascript and not self._finds):
                continue
            file = os.path.normpath(os.path.join(asked.directory, clean))
            if self._finds and file in self._added:
                return {"path": clean, "external": True}
            if not rule.is_javascript:
                found = yield {"path": clean}
                return self._collect(found.get("path") or file)
        if path.startswith("cloudflare:"):
            return {"external": True}
        if "node:" in path:
            found = yield {"path": path}
            return {"external": True} if found.get("errors") else {"path": found["path"]}
        return None

    def _collect(self, path: str) -> Answer:
        """The module is uploaded beside the bundle, under a name that its content gives it."""
        try:
            digest = hashlib.sha1(_read(path), usedforsecurity=False).hexdigest()
        except EsbuildFailed as error:
            return refusal(str(error))
        name = f"./{digest}-{os.path.basename(path)}"
        self._added.add(name, path)
        return {"path": name, "external": True}


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except (OSError, ValueError) as error:
        raise EsbuildFailed(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def _names(directory: Path) -> list[str]:
    """The files in ``directory`` whose names are text."""
    try:
        names = [path.name for path in directory.iterdir() if path.is_file()]
    except OSError:
        return []
    return [name for name in names if name.isprintable()]
