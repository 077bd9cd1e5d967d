"""The Python of the platform: which modules of the standard library it lacks."""

from __future__ import annotations

from typing import Final

ABSENT_MODULES: Final = frozenset(
    {
        *("_curses", "_tkinter", "curses", "ensurepip", "fcntl", "grp", "idlelib", "lib2to3"),
        *("pwd", "readline", "resource", "spwd", "syslog", "termios", "tkinter", "turtle", "venv"),
    }
)
"""Modules of the standard library that Pyodide leaves out.
https://pyodide.org/en/0.28.2/usage/wasm-constraints.html"""

_GONE: Final = (
    ((3, 12), ("asynchat", "asyncore", "distutils", "imp", "smtpd")),
    (
        (3, 13),
        (
            *("aifc", "audioop", "cgi", "cgitb", "chunk", "crypt", "imghdr", "mailcap", "msilib", "nis"),
            *("nntplib", "ossaudiodev", "pipes", "sndhdr", "spwd", "sunau", "telnetlib", "uu", "xdrlib"),
        ),
    ),
)
"""What CPython removed, and since which version.
https://docs.python.org/3/whatsnew/3.12.html#removed, https://peps.python.org/pep-0594/"""


def gone(module: str, version: tuple[int, int]) -> str:
    """The version of Python that dropped a module of the standard library, when ``version`` is not older."""
    for since, names in _GONE:
        if module in names and version >= since:
            return ".".join(map(str, since))
    return ""
