"""Loads a Worker, held to what a start may take."""

from __future__ import annotations

import json
import traceback

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Report
from emulator.wire.frames import Loaded, LoadFailed, WorkerSpec

from .loop import RealmLoop
from .memory_guard import MemoryGuard
from .meter.meter import Meter
from .program import Host, LoadError, Program
from .realm.engine import Value


def make_program(host: Host, spec: WorkerSpec, workers_module: Value, wait_until: Value) -> Program:
    """The program of a Worker's kind, not loaded yet. ``workers_module`` gets the Worker's ``env``."""
    if spec.kind == "wasm":
        from .direct.program import DirectProgram

        return DirectProgram(host)
    env = host.bridge.engine.context.parse_json(json.dumps(spec.vars))
    workers_module.set("env", env)
    if spec.kind == "javascript":
        from .javascript.program import JavaScriptProgram

        return JavaScriptProgram(host, env, wait_until)
    from .python.program import PythonProgram

    return PythonProgram(host, env, wait_until)


def load(
    program: Program, spec: WorkerSpec, loop: RealmLoop, memory: MemoryGuard, meter: Meter
) -> Loaded | LoadFailed:
    """Load ``program``; gives what to tell the front. Events may come afterwards."""
    memory.start(spec.limits)
    failure = _failure(program, spec, memory, meter)
    spent = loop.spent() // 1000
    failure = meter.startup_report() or failure
    meter.loaded()
    loop.engine.garbage.start()
    if failure is not None:
        return LoadFailed(failure, program.files() if failure.code == "worker-too-big" else {})
    return Loaded(program.available(), spent, program.warnings(), program.files())


def _failure(program: Program, spec: WorkerSpec, memory: MemoryGuard, meter: Meter) -> Report | None:
    """Load it; gives why it is not served."""
    try:
        program.load(spec)
    except LoadError as error:
        return memory.loaded(error) or error.report
    except Exception as error:
        failure = memory.loaded(error)
        if failure is not None:
            return failure
        if not meter.exceeded(None):  # else JavaScript is stopped, ours included
            traceback.print_exc()
        return explain("emulator-error", problem=f"{type(error).__name__}: {error}")
    return memory.loaded(None)
