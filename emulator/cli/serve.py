"""``cfw-emu serve``: serve the Workers of one or more projects."""

from __future__ import annotations

import math
from pathlib import Path

import click

from emulator.cli.old_habits import refuse_lang


def _refuse_nan(_context: click.Context, _parameter: click.Parameter, value: float) -> float:
    """Callback of ``--cpu-scale``: `nan` is a float that every range lets through."""
    if math.isnan(value):
        raise click.BadParameter("nan is not a number.")
    return value


@click.command(short_help="Serve Workers on this machine.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option("--port", type=click.IntRange(0, 65535), help="TCP port; 0 picks a free one.  [default: 8787]")
@click.option("--host", "--ip", "host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--env", "-e", "environment", metavar="NAME", help="Environment of the wrangler file.")
@click.option("--var", "variables", multiple=True, metavar="KEY:VALUE", help="Set a variable; repeatable.")
@click.option(
    "--persist-to", type=click.Path(path_type=Path), metavar="DIR", help="Where data is kept between runs."
)
@click.option(
    "--limits",
    metavar="PLAN",
    help="free, free-2026, paid, off, or a TOML file of limits.  [default: free]",
)
@click.option(
    "--report", is_flag=True, help="At the end, tell what each route needed, and whether it fits the plan."
)
@click.option(
    "--cpu",
    type=click.Choice(["strict", "flexible"]),
    default="strict",
    show_default=True,
    help="Whether CPU time that requests leave is saved up for others.",
)
@click.option(
    "--cpu-scale",
    type=click.FloatRange(0.01, 100),
    callback=_refuse_nan,
    default=1.0,
    metavar="FACTOR",
    help="Multiply measured CPU time, to estimate a slower platform.  [default: 1]",
)
@click.option("--no-reload", is_flag=True, help="Do not watch the projects' files.")
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "log", "warn", "error", "none"]),
    default="info",
    show_default=True,
    help="The least important lines to print.",
)
@click.option("--lang", hidden=True, expose_value=False, is_eager=True, callback=refuse_lang)
@click.pass_context
def serve(
    context: click.Context,
    paths: tuple[Path, ...],
    port: int | None,
    host: str | None,
    environment: str | None,
    variables: tuple[str, ...],
    persist_to: Path | None,
    limits: str | None,
    cpu: str,
    cpu_scale: float,
    report: bool,
    no_reload: bool,
    log_level: str,
) -> None:
    """Serve the Workers at PATH (default: the current directory).

    A PATH is a project directory, a wrangler file, or a directory of projects. The first
    Worker answers http://localhost:PORT, and each answers http://NAME.localhost:PORT.
    """
    from emulator.app import ServeOptions, serve

    options = ServeOptions(
        paths=paths or (Path("."),),
        port=port,
        host=host,
        environment=environment,
        variables=variables,
        persist_to=persist_to,
        reload=not no_reload,
        log_level=log_level,
        limits=limits,
        flexible=cpu == "flexible",
        cpu_scale=cpu_scale,
        report=report,
    )
    context.exit(serve(options, context.obj))
