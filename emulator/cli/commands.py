"""``cfw-emu`` and its commands."""

from __future__ import annotations

import sys

import click

from emulator.cli.serve import serve


class _Aliases(click.Group):
    """``dev`` is ``serve``, as in wrangler."""

    aliases = {"dev": "serve"}  # noqa: RUF012 - click's attribute style

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, self.aliases.get(cmd_name, cmd_name))


@click.group(cls=_Aliases, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cfw-emu", prog_name="cfw-emu", message="%(prog)s %(version)s")
def cfw_emu() -> None:
    """Run Cloudflare Workers written in Python on your own machine, as on the platform."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")


cfw_emu.add_command(serve)
