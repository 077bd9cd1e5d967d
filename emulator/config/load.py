"""From a wrangler file to a ``Config``."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Final

from emulator.config.check import Checker
from emulator.config.dev_vars import LocalVars, local_vars
from emulator.config.document import Document, Unreadable, read_document
from emulator.config.keys import KEYS
from emulator.config.model import Config, ConfigError
from emulator.config.words import show, worker_name
from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Report

CONFIG_NAMES: Final = ("wrangler.json", "wrangler.jsonc", "wrangler.toml")
"""In wrangler's order of precedence."""


def find_config(directory: Path) -> Path | None:
    """The wrangler file of a project directory, or None. Directories above are not searched."""
    return next((path for name in CONFIG_NAMES if (path := directory / name).is_file()), None)


def parse_var(text: str) -> tuple[str, str]:
    """``KEY:VALUE`` of the ``--var`` option. Raises ``ConfigError``."""
    key, colon, value = text.partition(":")
    if not colon or not key.strip():
        raise ConfigError([explain("config-bad-var", value=text)])
    return key.strip(), value


def load_config(
    path: Path,
    environment: str | None = None,
    overrides: Mapping[str, str] | None = None,
    process_env: Mapping[str, str] = os.environ,
    *,
    today: date | None = None,
) -> Config:
    """Read and check a wrangler file, for one environment (default: ``CLOUDFLARE_ENV``, else the top level).

    ``overrides`` are variables that win over all files. ``today`` is the day in UTC that compatibility
    dates are compared with. Raises ``ConfigError`` with all mistakes at once.
    """
    path = Path(os.path.abspath(path))
    environment = (process_env.get("CLOUDFLARE_ENV") if environment is None else environment) or None
    try:
        document = read_document(path)
    except Unreadable as error:
        raise ConfigError([error.report]) from error
    checker = Checker(document, today or datetime.now(UTC).date())
    keys = _effective(document, checker, environment)
    if checker.errors:
        raise ConfigError([*checker.errors, *document.warnings, *checker.warnings])
    # Required secrets may come from the environment of this process, too.
    local = local_vars(path.parent, environment, process_env, keys.get("secrets") is not None)
    return _config(document, checker, keys, local, environment, overrides or {})


def _effective(document: Document, checker: Checker, environment: str | None) -> dict[str, Any]:
    """The keys that hold for the environment, by wrangler's inheritance rules."""
    top = checker.table(document.data)
    if environment is None:
        checker.not_emulated([(document.data, ())])
        return top
    environments = document.data.get("env")
    table = checker.environment(environments, environment)
    if table is None:
        checker.not_emulated([(document.data, ())])
        # Without any environment in the file, wrangler goes on with the whole top level.
        return {**top, **_suffixed(top, environment)}
    path = ("env", environment)
    own = checker.table(table, path)
    inherited = {name: value for name, value in top.items() if KEYS[name].scope != "own"}
    checker.not_inherited(document.data, table, environment)
    checker.not_emulated([(table, path), ({k: v for k, v in inherited.items() if k not in own}, ())])
    return {**inherited, **_suffixed(top, environment), **own}


def _suffixed(top: Mapping[str, Any], environment: str) -> dict[str, str]:
    return {"name": f"{top['name']}-{environment}"} if "name" in top else {}


def _config(
    document: Document,
    checker: Checker,
    keys: Mapping[str, Any],
    local: LocalVars,
    environment: str | None,
    overrides: Mapping[str, str],
) -> Config:
    path = document.source.path
    names = _secret_names(keys)
    own = _values(keys.get("vars", {}))
    read = {key: value for key, value in local.values.items() if names is None or key in names}
    values = {**own, **read, **overrides}
    warnings = [*document.warnings, *checker.warnings, *local.warnings]
    if missing := [name for name in names or () if name not in values]:
        warnings.append(_missing_secrets(document, missing))
    return Config(
        path=path,
        root=path.parent,
        name=keys.get("name") or _default_name(document, environment, warnings),
        main=Path(os.path.normpath(path.parent / keys["main"])) if keys.get("main") else None,
        compatibility_date=keys.get("compatibility_date") or _default_date(document, checker.today, warnings),
        compatibility_flags=tuple(keys.get("compatibility_flags", ())),
        vars=values,
        environment=environment,
        warnings=tuple(warnings),
        files=(path, *local.files),
        build=keys.get("build", {}),
        rules=tuple(keys.get("rules", ())),
        limits=keys.get("limits", {}),
        dev=keys.get("dev", {}),
        document=document,
        process_vars=local.process_names & (read.keys() - own.keys() - overrides.keys() - {*(names or ())}),
        local_places={**local.places, **dict.fromkeys((*local.process_names, *overrides))},
    )


def _secret_names(keys: Mapping[str, Any]) -> list[str] | None:
    """With ``secrets``, only the required ones are read from local files."""
    secrets = keys.get("secrets")
    return None if secrets is None else list(secrets.get("required", ()))


def _missing_secrets(document: Document, names: list[str]) -> Report:
    lines = "\n".join(f'{name}="..."' for name in names)
    where = document.key_place("secrets")
    return explain("secrets-missing", names=", ".join(names), lines=lines, where=where)


def _default_name(document: Document, environment: str | None, warnings: list[Report]) -> str:
    path = document.source.path
    name = worker_name(path.parent.name) or "worker"
    where = document.source.at(1)
    line = document.line("name", show(name))
    warnings.append(explain("config-missing-name", file=path.name, name=name, line=line, where=where))
    return f"{name}-{environment}" if environment else name


def _default_date(document: Document, today: date, warnings: list[Report]) -> str:
    day = today.isoformat()
    line = document.line("compatibility_date", show(day))
    where = document.source.at(1)
    file = document.source.path.name
    warnings.append(explain("config-missing-date", file=file, today=day, line=line, where=where))
    return day


def _values(variables: Mapping[str, Any]) -> dict[str, Any]:
    return {_text(name): _json_value(value) for name, value in variables.items()}


def _json_value(value: Any) -> Any:
    """A variable as JavaScript would hold it after ``JSON.parse``: one kind of number, no dates."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return _values(value)
    if isinstance(value, list):
        return [_json_value(item) for item in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        # JSON.parse reads a double; beyond the largest one that is Infinity, which JSON writes as null.
        return float(value) if abs(value) < 2**1023 else None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _text(text: str) -> str:
    """Lone surrogates (JSON can spell them) cannot travel as UTF-8."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
