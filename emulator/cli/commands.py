"""``cfw-emu`` and its commands."""

from __future__ import annotations

import sys

import click

from emulator.cli.check import check
from emulator.cli.limits import limits
from emulator.cli.old_habits import init, no_such_command
from emulator.cli.quota import quota
from emulator.cli.serve import serve


class _Commands(click.Group):
    """``dev`` is ``serve``, as in wrangler; what else wrangler has is explained."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, "serve" if cmd_name == "dev" else cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            no_such_command(ctx, args[0], self.list_commands(ctx))
        return super().resolve_command(ctx, args)


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        click.echo(f"cfw-emu {version('cfw-emu')}")
    except PackageNotFoundError:
        click.echo("cfw-emu (run from a checkout that is not installed)")
    context.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show the version and exit.",
)
def cfw_emu() -> None:
    """Run Cloudflare Workers (Python, Go, JavaScript) on your own machine, as on the platform."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")


cfw_emu.add_command(serve)
cfw_emu.add_command(check)
cfw_emu.add_command(limits)
cfw_emu.add_command(quota)
cfw_emu.add_command(init)
