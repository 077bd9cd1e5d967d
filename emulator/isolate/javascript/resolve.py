"""What an import means: from the specifier and the importing file to a file, as esbuild does for wrangler.

https://esbuild.github.io/api/#resolve-extensions, https://nodejs.org/api/packages.html#package-entry-points
"""

from __future__ import annotations

import os
import re
from typing import Any, Final, NamedTuple

from emulator.wire.frames import ModuleRule

from .packages import CONDITIONS, Package, nearest_package, node_modules, package_name
from .rules import Rules
from .spelling import nearest, nearest_file, spelled

EXTENSIONS: Final = (".tsx", ".ts", ".jsx", ".js", ".css", ".json")
"""What esbuild tries after a name without an extension, in its order. ``.mjs`` is not among them."""

_JAVASCRIPT: Final = frozenset((".js", ".mjs", ".cjs", ".jsx"))
_TYPESCRIPT: Final = frozenset((".ts", ".tsx", ".mts", ".cts"))
_REWRITTEN: Final = {".js": (".ts", ".tsx"), ".jsx": (".tsx", ".ts"), ".mjs": (".mts",), ".cjs": (".cts",)}
WORKERS: Final = "cloudflare:workers"

# fmt: off
_NODE_BUILTINS: Final = frozenset((
    "_tls_common", "assert", "async_hooks", "buffer", "child_process", "cluster", "console",
    "constants", "crypto", "dgram", "diagnostics_channel", "dns", "domain", "events", "fs", "http",
    "http2", "https", "inspector", "module", "net", "os", "path", "perf_hooks", "process",
    "punycode", "querystring", "readline", "repl", "sqlite", "stream", "string_decoder", "sys",
    "test", "timers", "tls", "trace_events", "tty", "url", "util", "v8", "vm", "wasi",
    "worker_threads", "zlib",
))
# fmt: on

_CLOUDFLARE: Final = ("email", "node", "pipelines", "sockets", "workflows")
"""Modules ``cloudflare:...`` of the platform that are not here yet."""


class Unresolved(Exception):
    """An import that means nothing: a code of ``known.KNOWN`` and its facts."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


class Found(NamedTuple):
    """What an import means. ``kind``: JavaScript, JSON, Text, Data, CompiledWasm or Builtin."""

    path: str
    kind: str
    misspelled: str = ""
    """How the file is spelled on disk, where the import differs in upper and lower case."""

    @property
    def name(self) -> str:
        """The module's name in the realm: one instance each."""
        return self.path if self.kind in ("JavaScript", "JSON", "Builtin") else f"{self.path}#{self.kind}"


class Resolver:
    """Resolves the imports of the project at ``root``, an absolute path."""

    def __init__(self, root: str, rules: Rules, flags: frozenset[str] = frozenset()) -> None:
        self._root = os.path.normpath(root)
        self._real_root = os.path.realpath(root)
        self._rules = rules
        self._flags = flags

    def resolve(self, specifier: str, importer: str) -> Found:
        """What ``specifier`` means in the file ``importer``. Raises ``Unresolved``."""
        if specifier == WORKERS:
            return Found(WORKERS, "Builtin")
        self._refuse_schemes(specifier)
        directory = os.path.dirname(importer) or self._root
        kind = self._rules.type_of(specifier)
        if kind is None and (shadowed := self._rules.shadowed(specifier)):
            rule, by = shadowed
            raise Unresolved(
                "module-rule-ignored", specifier=specifier, ignored=_shown_rule(rule), kept=_shown_rule(by)
            )
        path = self._find(specifier, directory, exact=kind is not None)
        return self._found(path, specifier, kind)

    def _found(self, path: str, specifier: str, kind: str | None) -> Found:
        # Packages are written by machines, and their directories are large.
        misspelled = "" if f"{os.sep}node_modules{os.sep}" in path else spelled(path, self._root)
        real = self.canonical(path)
        if kind is not None:
            return Found(real, kind, misspelled)
        extension = os.path.splitext(real)[1]
        if extension in _JAVASCRIPT:
            return Found(real, "JavaScript", misspelled)
        if extension == ".json":
            return Found(real, "JSON", misspelled)
        if extension in _TYPESCRIPT:
            raise Unresolved("import-typescript", specifier=specifier, path=self.shown(path))
        raise Unresolved(
            "module-no-rule", specifier=specifier, path=self.shown(path), extension=extension, name=path
        )

    def canonical(self, path: str) -> str:
        """Without symbolic links, so that a module has one instance; below the root, spelled as that is."""
        real = os.path.realpath(path)
        if real.startswith(self._real_root + os.sep):
            return self._root + real[len(self._real_root) :]
        return real

    def shown(self, path: str) -> str:
        """``path`` relative to the project where it is inside."""
        prefix = self._root + os.sep
        return path[len(prefix) :] if path.startswith(prefix) else path

    # ---- specifiers that are no files ----------------------------------------

    def _refuse_schemes(self, specifier: str) -> None:
        scheme, colon, rest = specifier.partition(":")
        if not colon or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]+", scheme):
            return
        if scheme == "node":
            raise self._node_builtin(specifier, rest)
        if scheme == "cloudflare":
            known = rest in _CLOUDFLARE
            near = nearest(specifier, [WORKERS, *(f"cloudflare:{name}" for name in _CLOUDFLARE)])
            raise Unresolved("cloudflare-module", specifier=specifier, known=known, similar=near)
        raise Unresolved("import-url", specifier=specifier, scheme=scheme)

    def _node_builtin(self, specifier: str, name: str) -> Unresolved:
        compat = bool(self._flags & {"nodejs_compat", "nodejs_compat_v2"})
        return Unresolved("node-builtin", specifier=specifier, module=name, compat=compat)

    # ---- files ---------------------------------------------------------------

    def _find(self, specifier: str, directory: str, exact: bool) -> str:
        if not specifier:
            raise Unresolved("module-not-found", specifier=specifier, path=self.shown(directory))
        if specifier.startswith("#"):
            return self._private(specifier, directory)
        if not _is_path(specifier):
            return self._package(specifier, directory)
        target = os.path.normpath(os.path.join(directory, specifier))
        name = os.path.basename(target)
        if specifier.rstrip("/").endswith(("/..", "/.")) or specifier in (".", "..") or specifier[-1] == "/":
            found = index_of(target)
        else:
            found = file_of(target, exact) or (None if exact else index_of(target))
        if found is None and "?" in name:
            found = file_of(os.path.join(os.path.dirname(target), name.partition("?")[0]), exact)
        if found is None:
            raise self._missing(specifier, target, directory)
        return found

    def _missing(self, specifier: str, target: str, directory: str) -> Unresolved:
        """``specifier`` names no file: with what is nearest to it."""
        stem, extension = os.path.splitext(target)
        for typed in _REWRITTEN.get(extension, ()):
            if os.path.isfile(stem + typed):
                return Unresolved("import-typescript", specifier=specifier, path=self.shown(stem + typed))
        parent, name = os.path.split(target)
        untried = next((name + end for end in (".mjs", ".cjs") if os.path.isfile(target + end)), "")
        similar = untried or nearest_file(name, _listed(parent))
        if specifier.startswith("/") and os.path.isfile(self._root + specifier):
            parent, similar = self._root, specifier[1:]
        if similar:
            similar = _relative(os.path.join(parent, similar), directory)
        return Unresolved(
            "module-not-found",
            specifier=specifier,
            path=self.shown(target),
            similar=similar,
            go=extension == ".wasm" and os.path.isfile(os.path.join(self._root, "go.mod")),
        )

    # ---- packages --------------------------------------------------------------

    def _private(self, specifier: str, directory: str) -> str:
        """``#name``: the "imports" of the package that the importing file belongs to."""
        package = nearest_package(directory)
        target = package.imported(specifier) if package else None
        if package is None or target is None:
            raise Unresolved("package-import", specifier=specifier, package=self._described(package))
        if not _is_path(target):
            return self._package(target, package.directory)
        found = os.path.normpath(os.path.join(package.directory, target))
        if not os.path.isfile(found):
            raise Unresolved("module-not-found", specifier=specifier, path=self.shown(found))
        return found

    def _described(self, package: Package | None) -> str:
        return self.shown(os.path.join(package.directory, "package.json")) if package else ""

    def _package(self, specifier: str, directory: str) -> str:
        name, subpath = package_name(specifier)
        own = nearest_package(directory)
        if own is not None and own.name == name and own.exports is not None:
            return self._within(own, subpath, specifier)
        for place in node_modules(directory):
            package_directory = os.path.join(place, *name.split("/"))
            if os.path.isdir(package_directory):
                return self._within(Package.read(package_directory), subpath, specifier)
            if subpath == "." and (single := file_of(package_directory, exact=False)):
                return single
        raise self._no_package(specifier, name, directory)

    def _no_package(self, specifier: str, name: str, directory: str) -> Unresolved:
        if name in _NODE_BUILTINS:
            return self._node_builtin(specifier, specifier)
        beside = os.path.join(directory, specifier)
        if file_of(beside, exact=False):
            return Unresolved("import-without-dot", specifier=specifier)
        installed = [entry for place in node_modules(directory) for entry in _listed(place)]
        similar = nearest(specifier, [*installed, WORKERS])
        return Unresolved("npm-package-missing", specifier=specifier, package=name, similar=similar)

    def _within(self, package: Package, subpath: str, specifier: str) -> str:
        if package.broken:
            raise Unresolved(
                "package-json-invalid",
                path=self._described(package),
                problem=package.broken,
                specifier=specifier,
            )
        if package.exports is not None:
            target = package.exported(subpath)
            if target is None:
                offered = ", ".join(package.offered()[:12])
                raise Unresolved(
                    "npm-package-subpath",
                    specifier=specifier,
                    package=package.name,
                    subpath=subpath,
                    offered=offered,
                    conditions=", ".join(CONDITIONS),
                    path=self._described(package),
                )
            found: str | None = os.path.normpath(os.path.join(package.directory, target))
            found = found if found and os.path.isfile(found) else None
        elif subpath == ".":
            found = index_of(package.directory, package)
        else:
            target = os.path.normpath(os.path.join(package.directory, subpath))
            found = file_of(target, exact=False) or index_of(target)
        if found is None:
            raise Unresolved(
                "npm-package-no-entry", specifier=specifier, package=package.name, subpath=subpath
            )
        return found


def file_of(path: str, exact: bool) -> str | None:
    """The file that ``path`` names, tried with esbuild's extensions unless ``exact``."""
    if os.path.isfile(path):
        return path
    if not exact:
        for extension in EXTENSIONS:
            if os.path.isfile(path + extension):
                return path + extension
    return None


def index_of(directory: str, package: Package | None = None) -> str | None:
    """The file that stands for ``directory``: its package.json's entry, else its index file."""
    if not os.path.isdir(directory):
        return None
    package = package or Package.read(directory)
    for entry in package.entries():
        path = os.path.normpath(os.path.join(directory, entry))
        found = file_of(path, exact=False) or file_of(os.path.join(path, "index"), exact=False)
        if found:
            return found
    return file_of(os.path.join(directory, "index"), exact=False)


def _shown_rule(rule: ModuleRule) -> str:
    return f"{rule.type} {', '.join(rule.globs)}"


def _is_path(specifier: str) -> bool:
    return specifier.startswith(("./", "../", "/")) or specifier in (".", "..")


def _relative(path: str, directory: str) -> str:
    relative = os.path.relpath(path, directory).replace(os.sep, "/")
    return relative if relative.startswith("../") else f"./{relative}"


def _listed(directory: str) -> list[str]:
    try:
        return sorted(os.listdir(directory))[:1000]
    except OSError:
        return []
