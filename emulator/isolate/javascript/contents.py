"""What a module consists of: the source that the realm gets for each kind of file."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from emulator.diagnostics.report import Place

from ..realm.engine import Value
from ..realm.module_loader import ModuleSource
from ..realm.realm import Realm
from .catches import instrument
from .resolve import Found
from .scan import commonjs_place, is_commonjs, place_at

_NAMED_KEYS: Final = 1000
"""Keys of a JSON module that are exports too; who has more of them imports the whole."""

_DEFAULT: Final = b"export default import.meta.given.value;"


class ContentMistake(Exception):
    """A file that was found but is no such module: a code of ``known.KNOWN``, its facts, its place."""

    def __init__(self, code: str, where: Place | None = None, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.where = where
        self.facts = facts


class Contents:
    """Reads modules. Values travel on the module's own ``import.meta``, where only our source sees them."""

    def __init__(
        self, realm: Realm, compile_wasm: Callable[[bytes, str], Value], shown: Callable[[str], str]
    ) -> None:
        self._realm = realm
        self._compile_wasm = compile_wasm
        self._shown = shown
        self.texts: dict[str, str] = {}
        """The text of each JavaScript module, by its path."""
        self.exports: dict[str, list[str]] = {}
        """What the modules made here export, by their names; JavaScript modules are not among them."""
        self.sizes: dict[str, int] = {}
        """Bytes of each file that was read, by its path."""
        self._make: dict[str, Callable[[str], ModuleSource]] = {
            "JavaScript": self._javascript,
            "JSON": self._json,
            "Text": self._text,
            "Data": self._data,
            "CompiledWasm": self._wasm,
            "Builtin": self._builtin,
        }

    def source(self, found: Found) -> ModuleSource:
        """The source of a module. Raises ``ContentMistake``, or what ``compile_wasm`` raises."""
        if found.kind not in ("JavaScript", "JSON", "Builtin"):
            self.exports[found.name] = ["default"]
        return self._make[found.kind](found.path)

    def text_of(self, path: str) -> str:
        """The text of a JavaScript module that was loaded, "" for others."""
        return self.texts.get(path, "")

    def _javascript(self, path: str) -> ModuleSource:
        data = self._read(path)
        text = _utf8(path, data)
        self.texts[path] = text
        if is_commonjs(path, text):
            shown = self._shown(path)
            raise ContentMistake(
                "commonjs-module", commonjs_place(path, text), package=_package_of(shown), file=shown
            )
        return ModuleSource(instrument(text).encode())

    def _json(self, path: str) -> ModuleSource:
        text = _utf8(path, self._read(path))
        try:
            holder = self._realm.engine.context.parse_json(f'{{"value":{_checked(text)}}}')
        except _BadJSON as error:
            where = place_at(path, text, error.offset)
            raise ContentMistake("module-json-invalid", where, problem=error.problem) from None
        value = holder.get("value")
        keys = value.keys() if isinstance(value, Value) and value.is_object and not value.is_array else []
        names = [key for key in keys if key.replace("$", "_").isidentifier() and key != "default"]
        del names[_NAMED_KEYS:]
        self.exports[path] = ["default", *names]
        lines = ["const value = import.meta.given.value; export default value;"]
        for number, name in enumerate(names):
            lines.append(f"const $${number} = value[{json.dumps(name)}]; export {{ $${number} as {name} }};")
        return ModuleSource("".join(lines).encode(), holder)

    def _text(self, path: str) -> ModuleSource:
        return self._given(self._read(path).decode("utf-8", "replace"))

    def _data(self, path: str) -> ModuleSource:
        return self._given(self._realm.engine.array_buffer(self._read(path)))

    def _wasm(self, path: str) -> ModuleSource:
        return self._given(self._compile_wasm(self._read(path), path))

    def _read(self, path: str) -> bytes:
        data = _read(path)
        self.sizes[path] = len(data)
        return data

    def _given(self, value: Value | str) -> ModuleSource:
        holder = self._realm.engine.context.new_object()
        holder.set("value", value)
        return ModuleSource(_DEFAULT, holder)

    def _builtin(self, path: str) -> ModuleSource:
        """``cloudflare:workers``: each member of the platform's object is a named export."""
        module = self._realm.platform.get("workersExports")
        names = self.exports[path] = module.keys()
        lines = [f"export const {name} = import.meta.given.{name};" for name in names]
        return ModuleSource("".join(lines).encode(), module)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        raise ContentMistake("module-not-found") from None
    except OSError as error:
        raise ContentMistake("module-unreadable", problem=error.strerror or str(error)) from None


def _utf8(path: str, data: bytes) -> str:
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        text = before + data[error.start : error.start + 200].decode("utf-8", "replace")
        where = place_at(path, text, len(before))
        if "\0" in where.source:  # UTF-16 read as UTF-8 shows nothing that anybody could recognise
            where = Place(where.file, where.line, where.column)
        raise ContentMistake(
            "module-not-utf8", where, byte=f"0x{data[error.start]:02x}", offset=error.start
        ) from None


class _BadJSON(Exception):
    def __init__(self, problem: str, offset: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.offset = offset


def _checked(text: str) -> str:
    """``text``, which is one JSON value. Raises ``_BadJSON``."""

    def refuse(constant: str) -> None:
        raise _BadJSON(f"{constant} is not JSON", text.find(constant))

    try:
        json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise _BadJSON(error.msg, error.pos) from None
    except RecursionError:
        raise _BadJSON("nested too deeply", 0) from None
    except ValueError as error:  # an integer with thousands of digits
        raise _BadJSON(str(error), 0) from None
    return text


def _package_of(path: str) -> str:
    """``a/lib/x.js`` -> ``a``, for what is below ``node_modules``; "" for the project's own files."""
    _, found, path = path.rpartition("node_modules/")
    parts = path.split("/")
    if not found:
        return ""
    return "/".join(parts[: 2 if path.startswith("@") else 1])
