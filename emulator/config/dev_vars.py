"""Local variables and secrets: ``.dev.vars`` and ``.env``, by wrangler's order.

https://developers.cloudflare.com/workers/configuration/secrets/#local-development-with-secrets
The files are read as the npm package ``dotenv`` reads them: ``export`` allowed, and a line that is no
assignment is skipped (here with a warning). Only in ``.env`` files do values refer to each other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from emulator.config.document import Text, Unreadable, read_text
from emulator.config.expand import expand
from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Place, Report

_ASSIGNMENT: Final = re.compile(r"[ \t]*(?:export[ \t]+)?([\w.-]+)(?:[ \t]*=|:(?=[ \t]))[ \t]*", re.ASCII)
_QUOTED: Final = re.compile(
    r"""(?:"((?:\\"|[^"])*)"|'((?:\\'|[^'])*)'|`((?:\\`|[^`])*)`)[ \t]*(?:\#.*)?$""", re.MULTILINE
)
_PLAIN: Final = re.compile(r"[^#\n]*")
_LINE: Final = re.compile(r"[^\n]*\n?")


class LocalVars(NamedTuple):
    values: dict[str, str]
    files: tuple[Path, ...]
    """Every file that was read or would be, if it existed."""
    warnings: tuple[Report, ...]
    places: Mapping[str, Place] = MappingProxyType({})
    """Where each stands that comes from a file; without the source line, which may be a secret."""
    process_names: frozenset[str] = frozenset()
    """Those that come from the environment of this process."""


def local_vars(
    root: Path, environment: str | None, process_env: Mapping[str, str], with_process: bool = False
) -> LocalVars:
    """The variables that local files add for a project directory.

    ``.dev.vars.<environment>`` replaces ``.dev.vars``; either suppresses all ``.env`` files, of which later
    ones win: .env, .env.local, .env.<environment>, .env.<environment>.local. With ``.env``, the environment
    of this process wins over all of them, if ``with_process`` or CLOUDFLARE_INCLUDE_PROCESS_ENV says so.
    """
    dev_vars = [root / f".dev.vars.{environment}"] if environment else []
    dev_vars.append(root / ".dev.vars")
    dot_env = [root / ".env", root / ".env.local"]
    if environment:
        dot_env += [root / f".env.{environment}", root / f".env.{environment}.local"]
    files = (*dev_vars, *dot_env)
    chosen = [path for path in dev_vars if path.is_file()][:1]
    values: dict[str, str] = {}
    expands = not chosen and _flag(process_env, "CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV", True)
    if expands:
        chosen = [path for path in dot_env if path.is_file()]
    warnings: list[Report] = []
    places: dict[str, Place] = {}
    process: Mapping[str, str] = {}
    for path in chosen:
        values |= _read(path, warnings, places)
    if expands:
        if with_process or _flag(process_env, "CLOUDFLARE_INCLUDE_PROCESS_ENV", False):
            process = process_env
        values = {**process, **expand(values, process)}
    places = {name: place for name, place in places.items() if name not in process}
    return LocalVars(values, files, tuple(warnings), places, frozenset(process))


def _flag(process_env: Mapping[str, str], name: str, default: bool) -> bool:
    value = process_env.get(name, "").lower()
    return value == "true" if value in ("true", "false") else default


def _read(path: Path, warnings: list[Report], places: dict[str, Place]) -> dict[str, str]:
    try:
        source = read_text(path)
    except Unreadable as error:
        warnings.append(error.report)
        return {}
    lines: dict[str, int] = {}
    values = parse_dotenv(source, warnings, lines)
    places.update({name: Place(str(path), line) for name, line in lines.items()})
    return values


def parse_dotenv(source: Text, warnings: list[Report], lines: dict[str, int] | None = None) -> dict[str, str]:
    """The assignments of a dotenv file; every line that is none adds a warning.

    Values may stand in double, single or back quotes, over several lines; ``\\n`` and ``\\r`` are escapes in
    double quotes only. In a value without quotes, ``#`` starts a comment. ``lines`` is told the line of each.
    """
    text = source.text.replace("\r\n", "\n")
    values: dict[str, str] = {}
    at = 0
    while at < len(text):
        found = _ASSIGNMENT.match(text, at)
        line = text.count("\n", 0, at) + 1
        if found and lines is not None:
            lines[found[1]] = line
        if not found:
            words = text[at:].split("\n", 1)[0].strip()
            if words and not words.startswith("#"):
                warnings.append(_bad_line(source, line, f"{words.split()[0].rstrip(':')}=value"))
        elif quoted := _QUOTED.match(text, found.end()):
            values[found[1]] = _unescape(quoted)
            at = quoted.end()
        else:
            plain = _PLAIN.match(text, found.end())
            value = plain[0].strip() if plain else ""
            if value[:1] in ("'", '"', "`"):
                warnings.append(
                    _bad_line(source, line, f"Close the quote: {found[1]}={value[0]}...{value[0]}")
                )
            values[found[1]] = value
        rest = _LINE.match(text, at)
        at = rest.end() if rest else len(text)
    return values


def _unescape(quoted: re.Match[str]) -> str:
    double, single, back = quoted.groups()
    if double is not None:
        return double.replace("\\n", "\n").replace("\\r", "\r")
    return single if single is not None else back or ""


def _bad_line(source: Text, line: int, fix: str) -> Report:
    # Without the source line: it may hold a secret.
    facts: dict[str, Any] = {"file": source.path.name, "line": line, "fix": fix}
    return explain("dev-vars-bad-line", where=Place(str(source.path), line), **facts)
