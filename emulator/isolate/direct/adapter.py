"""The adapter: a small WebAssembly module between Python and the Worker's exports.

Crossing from Python into WebAssembly costs about a microsecond and each request needs up to a dozen
calls, so a module of our own makes them: ``serve`` gets the lengths of the texts that Python wrote one
after the other into its ``scratch`` memory, and gives what the Worker's exports gave. Before it copies or
hands out anything it checks that it lies inside the Worker's memory; if not, it sets ``fault`` and traps.

It imports the Worker's exports from the module name ``worker``.
"""

from __future__ import annotations

from typing import Final

from .abi import Abi

NAME: Final = "cfw-emu-adapter"
"""Its module name, by which its frames are told from the Worker's."""

SERVE_PARAMS: Final = ("method", "path", "url", "headers", "body", "bodyPtr")
SERVE_RESULTS: Final = ("pointer", "length", "status", "headersPointer", "headersLength", "pages")
"""What the exports gave, and the size of the memory after all of them."""

NO_FAULT: Final = 0
ALLOC_FAULT: Final = 1
RESPONSE_FAULT: Final = 2
HEADERS_FAULT: Final = 3

_GIVE: Final = """\
  (func $reserve (export "reserve") (param $length i32) (result i32)
    (local $to i32)
    ;; Never alloc(0): `&buf[0]` of an empty slice panics.
    (local.set $to
      (call $alloc (select (local.get $length) (i32.const 1) (local.get $length))))
    (call $check (i32.const 1) (local.get $to) (local.get $length))
    (local.get $to))
  (func $give (param $from i32) (param $length i32) (result i32)
    (local $to i32)
    (local.set $to (call $reserve (local.get $length)))
    (memory.copy $memory $scratch (local.get $to) (local.get $from) (local.get $length))
    (local.get $to))
"""

_CHECK: Final = """
  (global $fault (export "fault") (mut i32) (i32.const 0))
  (global $faultPointer (export "faultPointer") (mut i32) (i32.const 0))
  (global $faultLength (export "faultLength") (mut i32) (i32.const 0))
  (func $check (param $kind i32) (param $pointer i32) (param $length i32)
    (if (local.get $length)
      (then
        (if (i64.gt_u
              (i64.add (i64.extend_i32_u (local.get $pointer)) (i64.extend_i32_u (local.get $length)))
              (i64.shl (i64.extend_i32_u (memory.size $memory)) (i64.const 16)))
          (then
            (global.set $fault (local.get $kind))
            (global.set $faultPointer (local.get $pointer))
            (global.set $faultLength (local.get $length))
            (unreachable))))))
"""


def adapter_text(abi: Abi) -> str:
    """The adapter for a Worker with these exports, in the text format."""
    parts = [f"(module ${NAME}", *_imports(abi), '  (memory $scratch (export "scratch") 1)', _CHECK]
    if "alloc" in abi:
        parts.append(_GIVE)
    parts += [_serve(abi), ")"]
    return "\n".join(parts)


def _imports(abi: Abi) -> list[str]:
    lines = ['  (import "worker" "memory" (memory $memory 0))']
    handle = "(param i32 i32 i32 i32) " if abi.takes_request else ""
    lines.append(_import("handle", handle + _results(abi)))
    types = {
        "alloc": "(param i32) (result i32)",
        "setBody": "(param i32 i32)",
        "setUrl": "(param i32 i32)",
        "setHeaders": "(param i32 i32)",
    }
    lines += [_import(name, text) for name, text in types.items() if name in abi]
    getters = ("responsePtr", "responseLen", "getStatus", "responseHeadersPtr", "responseHeadersLen")
    lines += [_import(name, "(result i32)") for name in getters if name in abi]
    return lines


def _import(name: str, types: str) -> str:
    return f'  (import "worker" "{name}" (func ${name} {types}))'


def _results(abi: Abi) -> str:
    return f"(result {' '.join(abi.handle_results)})" if abi.handle_results else ""


def _serve(abi: Abi) -> str:
    params = " ".join(f"(param ${name} i32)" for name in SERVE_PARAMS)
    results = " ".join("i32" for _ in SERVE_RESULTS)
    lines = [f'  (func (export "serve") {params} (result {results})']
    lines += [f"(local ${name} i32)" for name in SERVE_RESULTS]
    lines.append("(local $methodPtr i32) (local $pathPtr i32)")
    lines += [*_inputs(abi), *_handle(abi), *_outputs(abi)]
    lines += [f"(local.get ${name})" for name in SERVE_RESULTS]
    return "\n    ".join(lines) + ")"


def _inputs(abi: Abi) -> list[str]:
    """In the scratch memory: method, path, URL, headers."""
    lines = []
    before_url = "(i32.add (local.get $method) (local.get $path))"
    before_headers = f"(i32.add {before_url} (local.get $url))"
    if "setBody" in abi:
        lines.append("(call $setBody (local.get $bodyPtr) (local.get $body))")
    if "setUrl" in abi:
        lines.append(f"(call $setUrl (call $give {before_url} (local.get $url)) (local.get $url))")
    if "setHeaders" in abi:
        given = f"(call $give {before_headers} (local.get $headers))"
        lines.append(f"(call $setHeaders {given} (local.get $headers))")
    return lines


def _handle(abi: Abi) -> list[str]:
    drops = ["(drop)"] * len(abi.handle_results)
    if not abi.takes_request:
        return ["(call $handle)", *drops]
    return [
        "(local.set $methodPtr (call $give (i32.const 0) (local.get $method)))",
        "(local.set $pathPtr (call $give (local.get $method) (local.get $path)))",
        "(call $handle (local.get $methodPtr) (local.get $method) (local.get $pathPtr) (local.get $path))",
        *drops,
    ]


def _outputs(abi: Abi) -> list[str]:
    lines = [
        "(local.set $pointer (call $responsePtr))",
        "(local.set $length (call $responseLen))",
        "(local.set $status " + ("(call $getStatus))" if "getStatus" in abi else "(i32.const 200))"),
    ]
    if "responseHeadersPtr" in abi:
        lines += [
            "(local.set $headersPointer (call $responseHeadersPtr))",
            "(local.set $headersLength (call $responseHeadersLen))",
            _check(HEADERS_FAULT, "headersPointer", "headersLength"),
        ]
    lines.append(_check(RESPONSE_FAULT, "pointer", "length"))
    return [*lines, "(local.set $pages (memory.size $memory))"]


def _check(fault: int, pointer: str, length: str) -> str:
    return f"(call $check (i32.const {fault}) (local.get ${pointer}) (local.get ${length}))"
