"""Host functions: what the platform files ask of Python. One module per field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..io import RealmIO
from . import compression, crypto, forms, mime, network, outside, text, url, zones


def host_functions(io: Callable[[], RealmIO]) -> dict[str, Callable[..., Any]]:
    """All host functions by name, for ``Realm``. ``io`` gives the outside at the time of each call."""
    return {
        **outside.functions(io),
        **text.functions(),
        **url.functions(),
        **crypto.functions(io),
        **network.functions(io),
        **forms.functions(),
        **mime.functions(),
        **compression.functions(),
        **zones.functions(),
    }
