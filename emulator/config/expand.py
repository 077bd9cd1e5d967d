"""References inside the values of ``.env`` files, as the npm package ``dotenv-expand`` has them for wrangler.

https://github.com/motdotla/dotenv-expand#readme. ``.dev.vars`` is taken as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_REFERENCE: Final = re.compile(r"(?<!\\)\$\{([^{}]+)\}|(?<!\\)\$([A-Za-z_][A-Za-z0-9_]*)")
_OPERATOR: Final = re.compile(r":\+|\+|:-|-")
_ROUNDS: Final = 1_000
"""How often a value may lead to another: values that lead to each other have no end."""
_LONGEST: Final = 1 << 20
"""Characters of a value; the platform takes 5 KB."""


def expand(values: Mapping[str, str], process: Mapping[str, str]) -> dict[str, str]:
    """``values`` with ``$NAME`` and ``${NAME}`` replaced by what ``process`` or an earlier value says.

    ``${NAME:-text}`` and ``${NAME-text}`` are ``text`` where there is none, ``${NAME:+text}`` and
    ``${NAME+text}`` where there is one; ``\\$`` is a dollar sign. What ``process`` sets wins.
    """
    done: dict[str, str] = {}
    for name, value in values.items():
        found = process.get(name) or _expanded(value, {**done, **process})
        done[name] = found.replace("\\$", "$")
    return done


def _expanded(value: str, known: Mapping[str, str]) -> str:
    seen: set[str] = set()
    for _ in range(_ROUNDS):
        reference = _REFERENCE.search(value)
        if reference is None or len(value) > _LONGEST:
            break
        seen.add(value)
        other = _meaning(reference[1] or reference[2], known, seen)
        value = value[: reference.start()] + other + value[reference.end() :]
    return value


def _meaning(expression: str, known: Mapping[str, str], seen: set[str]) -> str:
    """What a reference stands for. A value that was met before would lead round in a circle."""
    operator = _OPERATOR.search(expression)
    if operator is None:
        name, text = expression, ""
    else:
        name, text = expression[: operator.start()], expression[operator.end() :]
    value = known.get(name, "")
    if operator is not None and operator[0].endswith("+"):
        return text if value else ""
    return value if value and value not in seen else text
