"""One project being served: built, deployed, and both again after saves."""

from __future__ import annotations

import asyncio
import shutil
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Report
from emulator.fleet.slot import WorkerSlot
from emulator.front.build_changes import BuildChanges
from emulator.front.second_look import SecondLook
from emulator.journal.events import Explained, Journal, LogLine, Notice
from emulator.project import Project, ProjectError
from emulator.project.build import TINYGO, Build
from emulator.project.entry import missing_after_build, shown_path
from emulator.project.go import newest_go_source

if TYPE_CHECKING:
    from emulator.front.build import Guard

Reopen = Callable[[Project], Project]
"""Reads a project's files again. Raises ``ProjectError``."""

_MENDING_SECONDS: Final = 0.1
_STALE_SECONDS: Final = 60.0
"""A checkout writes its files in any order; a difference in time below this says nothing."""


class Deployment:
    """Builds and deploys one project. A failing build leaves the version that serves where it is."""

    def __init__(
        self,
        project: Project,
        slot: WorkerSlot,
        reopen: Reopen,
        journal: Journal,
        guard: Guard | None = None,
    ) -> None:
        self.project = project
        self.slot = slot
        self._reopen = reopen
        self._journal = journal
        self._guard = guard or (lambda group: lambda: None)
        self._changes = BuildChanges(project.build) if project.build else None
        self._task: asyncio.Task[None] | None = None
        """The build that runs."""
        self._builds: set[asyncio.Task[None]] = set()
        """The same, and those that are being killed."""
        self._again = False
        self._succeeded = True
        """How the last build ended."""
        self._abandoned = False
        """A build was given up for a mistake in the wrangler file."""
        self._pending: set[Path] = set()
        """Files saved during the build that a reload must bring in even when the build fails."""
        self._told = False
        self._versions = SecondLook(lambda: self.project, slot, journal)

    def start(self) -> asyncio.Task[None]:
        """Build it if need be, and deploy; the task ends with the first outcome, good or bad."""
        build = self.project.build
        if build is not None and self.must_build():
            self._build(build)
        else:
            if build is not None and build.stale_by() > _STALE_SECONDS:
                self._warn_stale(build)
            self._deploy()
        return asyncio.get_running_loop().create_task(self.slot.settled())

    def must_build(self) -> bool:
        """Whether the project cannot be deployed as it lies there."""
        build = self.project.build
        if build is None:
            return False
        if build.custom or _has_tinygo():
            return build.is_due()
        return build.required and not build.product.exists()

    def tell_late(self) -> None:
        """Say so if there is no first version yet."""
        if self.slot.settling:
            hint = "A loop at the top level of a module, perhaps?"
            what = "is still being built" if self._task else "is still loading"
            text = f"[{self.slot.name}] It {what}, and its requests wait for it. {'' if self._task else hint}"
            self._journal(Notice("warn", text.rstrip()))

    def matters(self, path: Path) -> bool:
        """Whether a saved (or removed) file means a build or a reload."""
        build = self.project.build
        return self.project.matters(path) or (build is not None and build.wants(path))

    async def saved(self, paths: Iterable[Path]) -> None:
        """Build or reload, as these changed files demand."""
        changes, build = self._changes, self.project.build
        paths = list(paths)
        if changes is None or build is None:
            if any(self.project.matters(path) for path in paths):
                await self.reload()
            return
        verdicts = {changes.verdict(path) for path in paths if build.wants(path)}
        reloads = {path for path in paths if self.project.matters(path)}
        reloads = {path for path in reloads if not changes.wrote(path, self._succeeded)}
        if any(path in self.project.config.files for path in reloads):
            await self.reload(build_too=bool(verdicts - {"nothing"}))
        elif "restart" in verdicts:
            self._build(build)
        elif "after" in verdicts:
            self._after(build)
        elif self._task is not None:
            self._pending |= reloads
        elif reloads:
            await self._reload_or_build(build)

    async def reload(self, build_too: bool = False) -> None:
        """Deploy what is on disk now; mistakes in the configuration are served until mended.

        ``build_too``: something that the build is made of was saved as well.
        """
        before = self.project
        opened = await self._open()
        if opened is None:
            return
        self.project = opened
        self._tell_news(before, opened)
        changed = opened.build != before.build or self._abandoned
        self._abandoned = False
        if changed:
            self._changes = BuildChanges(opened.build) if opened.build else None
            self._stop_build()
        if opened.build is not None and (build_too or (changed and self.must_build())):
            self._build(opened.build)
        elif self._task is None:
            self._deploy()
        else:
            self._pending.add(opened.config.path)

    def _deploy(self) -> None:
        """Deploy the project, or serve the report of its size when the plan has no room for it."""
        mistake = self.project.size_mistake()
        if mistake is None:
            self._versions.deploy()
        elif self.slot.deploys:
            self.slot.fail([mistake])
        else:
            # Before the first version, the terminal shows the banner first.
            self.slot.expect()
            asyncio.get_running_loop().call_soon(self.slot.fail, [mistake])

    def broken(self, error: Exception) -> None:
        """Serve the report of a failure of our own until the next save."""
        traceback.print_exception(error)
        self.slot.fail([explain("emulator-error", problem=f"{type(error).__name__}: {error}")])

    async def close(self) -> None:
        """Kill a build that runs."""
        self._stop_build()
        if self._builds:
            await asyncio.wait(self._builds)

    async def _open(self) -> Project | None:
        """The project as its files say now; None when they have mistakes, which are served."""
        try:
            return self._reopen(self.project)
        except ProjectError:
            # Some editors remove a file before they write it again.
            await asyncio.sleep(_MENDING_SECONDS)
        try:
            return self._reopen(self.project)
        except ProjectError as error:
            self._abandoned = self._task is not None or self._abandoned
            self._stop_build()
            self.slot.fail(_errors(error.reports))
            return None

    def _tell_news(self, before: Project, opened: Project) -> None:
        if opened.name != before.name:
            text = f"{before.name} is now called {opened.name}; its address changes at the next start."
            self._journal(Notice("warn", text))
        for warning in opened.warnings:
            if warning not in before.warnings:
                self._journal(Explained(self.slot.name, warning))

    # ---- builds ----------------------------------------------------------------------

    def _warn_stale(self, build: Build) -> None:
        """Once, until there is a new wasm: the source is newer, and nothing here can compile it."""
        if not self._told:
            self._told = True
            source = newest_go_source(build.root)[1] or build.root
            report = explain(
                "go-not-rebuilt",
                main=shown_path(build.product, build.root),
                source=shown_path(source, build.root),
                command=build.command,
            )
            self._journal(Explained(self.slot.name, report))

    async def _reload_or_build(self, build: Build) -> None:
        """Something else than a source of the build was saved, or the build's product removed."""
        self._told = False
        # After a failed first build, an older product may lie there; it is not to be served unnoticed.
        failed = not self._succeeded and not self.slot.serves
        if failed or (not build.product.exists() and (build.required or _has_tinygo())):
            self._build(build)
        else:
            await self.reload()

    def _after(self, build: Build) -> None:
        """Build once more as soon as no build runs."""
        if self._task is None:
            self._build(build)
        else:
            self._again = True

    def _build(self, build: Build) -> None:
        """Begin a build, in place of the one that runs."""
        self._again = False
        if not build.custom and not _has_tinygo():
            self._without_tinygo(build)
            return
        self._stop_build()
        self.slot.expect()
        older = set(self._builds)
        self._task = asyncio.get_running_loop().create_task(self._run(build, older))
        self._builds.add(self._task)
        self._task.add_done_callback(self._builds.discard)

    def _stop_build(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _without_tinygo(self, build: Build) -> None:
        if build.product.exists():
            self._warn_stale(build)
        elif build.required:
            main = shown_path(build.product, build.root)
            self._failed(explain("tinygo-missing", main=main, directory=build.root, command=build.command))

    async def _run(self, build: Build, older: set[asyncio.Task[None]]) -> None:
        # Most projects are not built; their start does not wait for this import.
        from emulator.front.build import run_build

        if older:
            # Two builds at once would write the same files.
            await asyncio.wait(older)
        changes = self._changes
        if changes is not None:
            await asyncio.to_thread(changes.begin)
        self._say(f"build: {build.command}")
        try:
            report = await run_build(build, self._say, self._guard)
        except (OSError, ValueError) as error:
            # A directory that may not be entered, a command with a null character.
            report = explain(
                "build-failed",
                command=build.command,
                status="could not start",
                output=str(error),
                spot="the command",
            )
        if changes is not None:
            await asyncio.to_thread(changes.end)
        self._task = None
        await self._ended(build, report or missing_after_build(self.project.config, build))

    async def _ended(self, build: Build, report: Report | None) -> None:
        pending, self._pending = self._pending, set()
        self._succeeded = report is None
        if self._again:
            self._build(build)
        elif report is None:
            self._told = False
            await self.reload()
        else:
            self._failed(report)
            changes = self._changes
            saved = [path for path in pending if changes is None or not changes.is_output(path)]
            if saved and self.slot.active is not None:
                await self.reload()

    def _failed(self, report: Report) -> None:
        """Tell it; it is what requests get only when there is no version that could answer them."""
        if self.slot.serves:
            self._journal(Explained(self.slot.name, report))
            self.slot.expect_no_more()
        else:
            self.slot.fail([report])

    def _say(self, line: str) -> None:
        self._journal(LogLine(self.slot.name, "info", line))


def _has_tinygo() -> bool:
    return shutil.which(TINYGO) is not None


def _errors(reports: list[Report]) -> list[Report]:
    return [report for report in reports if report.severity == "error"] or reports
