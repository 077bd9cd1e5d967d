"""Habits from wrangler: ``init`` and ``--lang``, and commands of its own. They are explained, not obeyed."""

from __future__ import annotations

import os
import shlex
import sys
from typing import Any, NoReturn

import click

USAGE_ERROR = 2
"""The exit status of click's own usage errors."""


def refuse(context: click.Context, used: str, name: str = "") -> None:
    """Explain what to do instead of ``used``, for a Worker called ``name``, and end."""
    _refuse(context, "lang-option", used=used, name=name)


def no_such_command(context: click.Context, command: str, commands: list[str]) -> NoReturn:
    """Explain what there is in place of ``command``, and end."""
    from difflib import get_close_matches

    visible = [name for name in commands if name != init.name]
    near = get_close_matches(command.lower(), [*visible, "dev"], 1)
    path = command if os.sep in command or command.startswith(".") or os.path.isfile(command) else ""
    facts = {"command": command, "path": shlex.quote(path) if path else "", "near": "".join(near)}
    _refuse(context, "no-such-command", commands=", ".join(visible), **facts)


def _refuse(context: click.Context, code: str, **facts: Any) -> NoReturn:
    from emulator.diagnostics.known import explain
    from emulator.diagnostics.render import render_terminal

    color = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    click.echo(render_terminal(explain(code, **facts), color) + "\n", err=True)
    context.exit(USAGE_ERROR)


def refuse_lang(context: click.Context, _: click.Parameter, language: str | None) -> None:
    """Callback of the option ``--lang``."""
    if language is not None:
        refuse(context, f"--lang={language}")


@click.command(
    hidden=True,
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.pass_context
def init(context: click.Context) -> None:
    """``wrangler init`` made projects; here nothing does yet."""
    name = next((argument for argument in context.args if not argument.startswith("-")), "")
    refuse(context, " ".join(["cfw-emu init", *context.args]), name)
