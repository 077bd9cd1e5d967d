"""The composition root: joins the rooms into a running emulator."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import os
import shlex
import signal
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emulator.config import ConfigError, parse_var
from emulator.diagnostics.report import Report
from emulator.fleet.launch import ForkServerProcess, launch
from emulator.project import Metering, Project, ProjectError, find_projects, open_project, open_projects
from emulator.project.state import state_directory

if TYPE_CHECKING:
    from emulator.fleet.fleet import Fleet
    from emulator.front.deployment import Deployment
    from emulator.front.gateway import Gateway, Site
    from emulator.journal.console import Console
    from emulator.limits import Plan
    from emulator.limits.allowance import Allowance
    from emulator.limits.route_report import RouteReport

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8787

_PATIENCE_SECONDS = 5.0
"""How long Ready, and the watch for saves, wait for Workers that do not come to an end of loading."""


@dataclass(frozen=True)
class ServeOptions:
    """What the command line asks for; ``None``: not given."""

    paths: Sequence[Path]
    port: int | None = None
    host: str | None = None
    environment: str | None = None
    variables: Sequence[str] = ()
    """``KEY:VALUE`` each."""
    persist_to: Path | None = None
    reload: bool = True
    log_level: str = "info"
    limits: str | None = None
    """A plan, or the path of a file of limits."""
    flexible: bool = False
    """CPU time that events leave of their budget is saved up for others."""
    cpu_scale: float = 1.0
    """Measured CPU time is multiplied by this."""
    report: bool = False
    """Whether the end tells what each route needed."""


def serve(options: ServeOptions, fork_server: ForkServerProcess | None = None) -> int:
    """Serve until told to stop; gives the exit status."""
    color = _wants_color()
    fork_server = fork_server or launch()
    since = time.time()
    try:
        overrides = dict(parse_var(text) for text in options.variables)
        opened = open_projects(options.paths, options.environment, overrides, limits=options.limits)
    except (ConfigError, ProjectError) as error:
        _print_reports(error.reports, color)
        return 1
    metering = Metering(options.flexible, options.cpu_scale)
    projects = [replace(project, metering=metering) for project in opened]
    if any(project.kind != "python" for project in projects):
        fork_server.warm()  # while this process imports its server
    dev = projects[0].config.dev
    host = options.host or str(dev.get("ip", DEFAULT_HOST))
    port = options.port if options.port is not None else int(dev.get("port", DEFAULT_PORT))
    from emulator.front.server import listen

    try:
        sock = listen(host, port)
    except OSError as error:
        print(_cannot_listen(error, host, port), file=sys.stderr)
        return 1
    emulator = Emulator(options, overrides, projects, sock, color, since)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(emulator.run(fork_server))


def plan_in_force(path: Path | None, limits: str | None, environment: str | None) -> Plan:
    """The plan of the one project at ``path``; without a path and a project here, ``limits`` or the default.

    Raises ``ConfigError`` or ``ProjectError``.
    """
    from emulator.config import find_config, load_config
    from emulator.config.settings import load_settings
    from emulator.limits import plan_for

    here = Path.cwd()
    if path is None and find_config(here) is None:
        return plan_for(limits, load_settings(here))
    config = load_config(find_projects([path or here])[0], environment)
    return plan_for(limits, load_settings(config.root), config)


def quotas_in_force(
    path: Path | None, persist_to: Path | None, limits: str | None, environment: str | None
) -> tuple[Plan, Path]:
    """The plan as by ``plan_in_force``, and the state directory whose counts are held against it.

    Without ``persist_to`` there must be a project. Raises ``ConfigError`` or ``ProjectError``.
    """
    if persist_to is not None:
        return plan_in_force(path, limits, environment), state_directory(persist_to, Path.cwd())
    project = find_projects([path or Path.cwd()])[0]
    return plan_in_force(project, limits, environment), state_directory(None, project.parent)


class Emulator:
    """One run of the server."""

    def __init__(
        self,
        options: ServeOptions,
        overrides: dict[str, str],
        projects: Sequence[Project],
        sock: socket.socket,
        color: bool,
        since: float,
    ) -> None:
        from emulator.journal.console import Console
        from emulator.limits.ledger import Ledger

        roots = {project.name: str(project.root) for project in projects}
        self._options = options
        self._overrides = overrides
        self._projects = projects
        self._sock = sock
        self._console: Console = Console(sys.stdout.fileno(), color, options.log_level, roots)
        state, root = options.persist_to, projects[0].root
        self._ledger = Ledger(
            state_directory(state, root), self._console, projects[0].name, _reset_command(state, root)
        )
        self._color = color
        self._report = _route_report(projects) if options.report else None
        self._since = since
        self._sites: dict[str, Site] = {}
        self._stop = asyncio.Event()
        self._status = 0

    async def run(self, fork_server: ForkServerProcess) -> int:
        """Start, serve, stop; gives the exit status."""
        from emulator.fleet.fleet import Fleet
        from emulator.front.outbound import Outbound

        outbound = Outbound(self._console)
        fleet = Fleet(fork_server, outbound, self._console, self._broken)
        try:
            await self._serve(fleet)
        finally:
            await fleet.close()
            await outbound.close()
            await self._ledger.close()
            if self._report is not None:
                self._console.write("\n" + "\n".join(self._report.lines(self._color)))
            self._console.close()
        return self._status

    async def _serve(self, fleet: Fleet) -> None:
        deployments = self._deployments(fleet)
        builds = [deployment for deployment in deployments if deployment.must_build()]
        # The Workers load in their processes while this one still imports its server.
        loads = [deployment.start() for deployment in deployments if deployment not in builds]
        loads.append(asyncio.create_task(self._ledger.sync()))
        gateway = self._gateway(fleet)
        if gateway is None:
            return
        from emulator.front.server import HttpServer

        server = HttpServer(gateway, self._sock)
        self._handle_signals(server.hurry)
        self._print_banner()
        loads += [deployment.start() for deployment in builds]
        await server.start()
        # Saves count while the first build runs, too; without one, Ready comes first.
        reloader = self._watch(deployments) if builds else None
        stopping = asyncio.create_task(self._stop.wait())
        loaded = asyncio.create_task(_all(loads))
        either = asyncio.FIRST_COMPLETED
        await asyncio.wait([loaded, stopping], timeout=_PATIENCE_SECONDS, return_when=either)
        if not self._stop.is_set():
            for deployment in deployments:
                deployment.tell_late()
            self._console.write(f"Ready on {self._address()}")
            # All that is loaded now stays: the collector need not look at it for each request.
            gc.collect()
            gc.freeze()
            reloader = reloader or self._watch(deployments)
        await stopping
        if reloader is not None:
            reloader.cancel()
        for deployment in deployments:
            await deployment.close()
        await server.stop()

    def _gateway(self, fleet: Fleet) -> Gateway | None:
        from emulator.front.gateway import Gateway, Site
        from emulator.front.request_cf import load_request_cf
        from emulator.front.request_limits import RequestLimits

        for project in self._projects:
            try:
                cf = load_request_cf(str(project.root))
            except ValueError as error:
                self._console.write(str(error))
                self._status = 1
                return None
            requests = self._requests(project)
            limits = RequestLimits.of(project.plan)
            site = Site(project.name, str(project.root), fleet.slot(project.name), cf, requests, limits)
            self._sites[project.name] = site

        def local() -> Any:
            from emulator.front.local_pages import local_pages

            return local_pages(fleet, self._report)

        journal = self._report.beside(self._console) if self._report is not None else self._console
        return Gateway(list(self._sites.values()), journal, local)

    def _deployments(self, fleet: Fleet) -> list[Deployment]:
        from emulator.front.deployment import Deployment

        return [
            Deployment(project, fleet.slot(project.name), self._reopen, self._console, fleet.guard)
            for project in self._projects
        ]

    def _watch(self, deployments: Sequence[Deployment]) -> asyncio.Task[None] | None:
        if not self._options.reload:
            return None
        from emulator.front.reload import Reloader

        reloader = Reloader(deployments, self._since, self._console)
        return asyncio.get_running_loop().create_task(reloader.run())

    def _reopen(self, project: Project) -> Project:
        from emulator.front.request_limits import RequestLimits

        options = self._options
        path = project.config.path
        opened = open_project(path, options.environment, self._overrides, limits=options.limits)
        self._read_cf(project)
        self._sites[project.name].requests = self._requests(opened)
        self._sites[project.name].limits = RequestLimits.of(opened.plan)
        if self._report is not None:
            self._report.change(project.name, opened.plan)
        return replace(opened, metering=project.metering)

    def _requests(self, project: Project) -> Allowance:
        return self._ledger.allowance("requests_per_day", project.plan)

    def _read_cf(self, project: Project) -> None:
        """Read ``cf.json`` again; with a mistake in it, the values before stay."""
        from emulator.front.request_cf import load_request_cf
        from emulator.journal.events import Notice

        try:
            self._sites[project.name].cf = load_request_cf(str(project.root))
        except ValueError as error:
            self._console(Notice("error", str(error)))

    def _print_banner(self) -> None:
        from emulator.front.banner import banner
        from emulator.journal.events import Explained

        secrets = [(project, self._secrets(project)) for project in self._projects]
        for line in banner(secrets, self._address()):
            self._console.write(line)
        for project in self._projects:
            for warning in project.warnings:
                self._console(Explained(project.name, warning))

    def _secrets(self, project: Project) -> frozenset[str]:
        return frozenset(project.config.local_places) - self._overrides.keys()

    def _address(self) -> str:
        host, port = self._sock.getsockname()[:2]
        if host in ("127.0.0.1", "0.0.0.0", "::1", "::"):
            host = "localhost"
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def _handle_signals(self, hurry: Any) -> None:
        def on_signal() -> None:
            if self._stop.is_set():
                hurry()
            self._stop.set()

        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, on_signal)

    def _broken(self) -> None:
        """The fork server ended before its first fork; its own error is on standard error."""
        print("The fork server could not start, so no Worker can run.", file=sys.stderr)
        self._status = 1
        self._stop.set()


def _reset_command(persist_to: Path | None, root: Path) -> str:
    """What to type here to reset the counts of the state directory."""
    near = os.path.relpath(root)
    where = [] if near == "." else [str(root) if near.startswith("..") else near]
    if persist_to is not None:
        where += ["--persist-to", str(persist_to)]
    return shlex.join(["cfw-emu", "quota", *where, "--reset"])


async def _all(tasks: Sequence[asyncio.Task[None]]) -> None:
    await asyncio.gather(*tasks)


def _route_report(projects: Sequence[Project]) -> RouteReport:
    from emulator.limits.route_report import RouteReport

    return RouteReport({project.name: project.plan for project in projects})


def _loop_factory() -> Any:
    with contextlib.suppress(ImportError):
        import uvloop

        return uvloop.new_event_loop
    return None


def _wants_color() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _print_reports(reports: Sequence[Report], color: bool) -> None:
    from emulator.diagnostics.render import render_terminal

    for report in reports:
        print(render_terminal(report, color, os.getcwd()) + "\n", file=sys.stderr)


def _cannot_listen(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is in use: stop the other program, or choose another with --port."
    if error.errno == errno.EACCES:
        return f"Port {port} on {host} needs more rights: choose one above 1023 with --port."
    return f"Cannot listen on {host} port {port}: {error.strerror or error}."
