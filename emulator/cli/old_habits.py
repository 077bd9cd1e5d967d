"""What wrangler 3 had and guides still show: ``init`` and ``--lang``. They are explained, not obeyed."""

from __future__ import annotations

import os
import sys

import click

USAGE_ERROR = 2
"""The exit status of click's own usage errors."""


def refuse(context: click.Context, used: str, name: str = "") -> None:
    """Explain what to do instead of ``used``, for a Worker called ``name``, and end."""
    from emulator.diagnostics.known import explain
    from emulator.diagnostics.render import render_terminal

    color = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    print(render_terminal(explain("lang-option", used=used, name=name), color) + "\n", file=sys.stderr)
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
