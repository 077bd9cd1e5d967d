"""Known mistakes of Workers that are a ``.wasm`` without JavaScript (texts of ``known.KNOWN``).

The rules that they break are in docs/go-abi.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.diagnostics.mistake import Known

TINYGO_BUILD: Final = "tinygo build -o worker.wasm -target wasm-unknown ./..."

_BUILT_BY: Final[Mapping[str, str]] = {
    "go-js": "These imports are those of Go's own toolchain with GOOS=js GOARCH=wasm, which needs "
    "wasm_exec.js and a JavaScript host around it.",
    "tinygo-wasm": "These imports are those of TinyGo's target `wasm`, which is for web pages and needs "
    "TinyGo's wasm_exec.js.",
    "wasip1": "These imports are WASI's: the module was built for a program on a command line (GOOS=wasip1, "
    "or `-target wasip1` or `-target wasi` of TinyGo). Workers have no WASI.",
    "wasip2": "These imports are those of WASI 0.2 (`-target wasip2`). Workers have no WASI.",
    "wasm-bindgen": "These imports are those of Rust's wasm-bindgen; its generated JavaScript provides them.",
    "emscripten": "These imports are those of Emscripten, whose generated JavaScript provides them.",
    "assemblyscript": "`env.abort` is what AssemblyScript imports to report a failure.",
    "host": "Nobody provides functions of a host of its own here, such as those that //go:wasmimport names.",
}

_OTHER_TARGET: Final[Mapping[str, str]] = {
    "wasm-bindgen": 'Serve it through its JavaScript: `main = "worker.js"`, which imports the .wasm and '
    "provides these functions. Or export the functions of docs/go-abi.md without wasm-bindgen.",
    "emscripten": 'Serve it through JavaScript: `main = "worker.js"`, which imports the .wasm and provides '
    "these functions. Or link with -sSTANDALONE_WASM --no-entry and without what needs the host.",
    "assemblyscript": "Compile with `--use abort=` so that a failure traps and nothing is imported.",
    "host": 'Remove them, or write a worker.js (`main = "worker.js"`) that gives them to '
    "WebAssembly.instantiate(module, imports).",
}


def target_texts(target: str | None) -> dict[str, str]:
    """Facts ``built`` (which toolchain such imports come from) and ``rebuild`` (what to do about it)."""
    rebuild = _OTHER_TARGET.get(str(target)) or (
        "Build it with TinyGo for the target without a host:\n\n" + TINYGO_BUILD
    )
    return {"built": _BUILT_BY.get(str(target), ""), "rebuild": rebuild}


def _imports(values: Mapping[str, Any]) -> dict[str, str]:
    """Facts ``target`` (of ``go_targets``), ``imports``: the names."""
    return target_texts(values.get("target"))


_NOT_WASM: Final[Mapping[str, tuple[str, str]]] = {
    "empty": ("It is empty: perhaps a build was interrupted.", "Build it again:\n\n" + TINYGO_BUILD),
    "component": (
        "It is a component (the component model of WASI 0.2), not a core module.",
        "Build a core module:\n\n" + TINYGO_BUILD,
    ),
    "wat": (
        "It is the text form of WebAssembly (wat).",
        "Translate it into the binary form, for example with wabt:\n\nwat2wasm worker.wat -o worker.wasm",
    ),
    "gzip": ("It is compressed with gzip.", "Unpack it: gunzip < worker.wasm > plain.wasm"),
    "native": (
        "It is a program for this machine, not WebAssembly.",
        "Name the target when building:\n\n" + TINYGO_BUILD,
    ),
    "lfs": ("It is a pointer of Git LFS: the real file was not fetched.", "git lfs pull"),
    "html": ("It is a web page, perhaps an error page of a download.", "Build or fetch the file again."),
    "go": ("It is Go source code.", "Build it:\n\n" + TINYGO_BUILD),
    "archive": ("It is an archive of object files.", "Build a program (package main), not a library."),
}


def not_wasm_texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Fact ``looks``: a key of ``_NOT_WASM``, or empty; ``begins``: the first bytes, in hexadecimal."""
    looks, fix = _NOT_WASM.get(str(values.get("looks")), ("", "Build it again:\n\n" + TINYGO_BUILD))
    return {"looks": looks, "advice": fix}


_TRAP_MEANS: Final[Mapping[str, str]] = {
    "UNREACHABLE": "`unreachable` is what a Go panic compiles to: an index out of range, a nil map or "
    "pointer, a failed type assertion, an explicit panic, or no memory left. On the target wasm-unknown "
    "TinyGo prints the panic's text nowhere.",
    "MEMORY_OUT_OF_BOUNDS": "The code read or wrote outside of its memory: a wrong pointer, or a slice made "
    "from a wrong length.",
    "STACK_OVERFLOW": "The functions called each other too deeply, usually a recursion without an end.",
    "INTEGER_DIVISION_BY_ZERO": "An integer was divided by zero.",
    "INTEGER_OVERFLOW": "The smallest integer was divided by -1.",
    "BAD_CONVERSION_TO_INTEGER": "A number that does not fit was converted to an integer.",
    "TABLE_OUT_OF_BOUNDS": "A function was called through an invalid function pointer or interface.",
    "INDIRECT_CALL_TO_NULL": "A function was called through a nil function pointer.",
    "BAD_SIGNATURE": "A function was called through a pointer of another type.",
}


_LOOK: Final = (
    "Look at the innermost function of the backtrace. Check lengths before you index, errors before you use "
    "a result, and maps and pointers for nil. Build without -no-debug, so that the lines are known."
)

_TRAP_ADVICE: Final[Mapping[str, str]] = {
    "STACK_OVERFLOW": "Give the recursion an end, or write a loop; for deep data, keep a stack in a slice.",
    "INTEGER_DIVISION_BY_ZERO": "Check the divisor first.",
}


def _trap(values: Mapping[str, Any]) -> dict[str, str]:
    """Facts ``trap`` (name of the trap code), ``during`` (the export), ``memory`` (MB), ``full`` (bool)."""
    means = _TRAP_MEANS.get(str(values.get("trap")), "The code did what WebAssembly forbids.")
    if values.get("full"):
        means = (
            f"Its memory has {values.get('memory')} MB, and a Worker's isolate may have 128 MB: it ran out. "
            "With gc=leaking, nothing that a request allocates is ever given back. " + means
        )
    advice = _TRAP_ADVICE.get(str(values.get("trap")), _LOOK)
    if values.get("full"):
        advice = (
            "Keep less in memory, and make less garbage in a request; or build with `-gc=conservative`, "
            "which frees what is no longer used."
        )
    return {"means": means, "advice": advice}


_TAKEN: Final = "string(unsafe.Slice((*byte)(unsafe.Pointer(ptr)), length))"

_GO_LINES: Final[Mapping[str, str]] = {
    "memory": "// TinyGo exports `memory` by itself; other linkers need --export-memory",
    "handle": "//export handle\n"
    "func handle(methodPtr uintptr, methodLen int32, pathPtr uintptr, pathLen int32) {\n"
    '\tresponseData = []byte("Hello")\n}',
    "alloc": "//export alloc\nfunc alloc(size int32) uintptr {\n\tbuf := make([]byte, size)\n"
    "\treturn uintptr(unsafe.Pointer(&buf[0]))\n}",
    "responsePtr": "//export responsePtr\nfunc responsePtr() uintptr {\n\tif len(responseData) == 0 {\n"
    "\t\treturn 0\n\t}\n\treturn uintptr(unsafe.Pointer(&responseData[0]))\n}",
    "responseLen": "//export responseLen\nfunc responseLen() int32 {\n\treturn int32(len(responseData))\n}",
    "getStatus": "//export getStatus\nfunc getStatus() int32 {\n\treturn responseStatus\n}",
    "setUrl": f"//export setUrl\nfunc setUrl(ptr uintptr, length int32) {{\n\turl = {_TAKEN}\n}}",
    "setHeaders": "//export setHeaders\n"
    f"func setHeaders(ptr uintptr, length int32) {{\n\theaders = {_TAKEN}\n}}",
    "setBody": f"//export setBody\nfunc setBody(ptr uintptr, length int32) {{\n\tbody = {_TAKEN}\n}}",
    "responseHeadersPtr": "//export responseHeadersPtr\nfunc responseHeadersPtr() uintptr {\n"
    "\tif len(responseHeaders) == 0 {\n\t\treturn 0\n\t}\n"
    "\treturn uintptr(unsafe.Pointer(&responseHeaders[0]))\n}",
    "responseHeadersLen": "//export responseHeadersLen\nfunc responseHeadersLen() int32 {\n"
    "\treturn int32(len(responseHeaders))\n}",
    "release": "//export release\nfunc release() {\n}",
    "_initialize": "// TinyGo exports `_initialize` by itself: do not write one",
}

EXPORT_MISTAKES: Final[Mapping[str, str]] = {
    "space": "The comment has a space behind the slashes, so it is only a comment. Write it without:",
    "gap": "Something stands between the comment and its function. They must be next to each other:",
    "case": "The name is written in other upper and lower case. Write it exactly so:",
    "extra": "There is more text behind the name. Write the name only:",
    "unmarked": "The function is there, but nothing exports it. Put the comment directly above it:",
}


def _exports(values: Mapping[str, Any]) -> dict[str, str]:
    """Facts ``names``: the exports in question; ``mistake``: a kind of ``go_exports``; ``stale``: the names
    that the Go source does export; ``near``: a hint about what is there instead."""
    lines = "\n\n".join(_GO_LINES[name] for name in values.get("names") or () if name in _GO_LINES)
    near = str(values.get("near") or "")
    advice = f"Add to main.go:\n\n{lines}"
    if values.get("mistake"):
        advice = f"{EXPORT_MISTAKES.get(str(values['mistake']), '')}\n\n{lines}"
    elif values.get("stale"):
        advice = f"The Go source has {values['stale']}: the .wasm is older. Build it again:\n\n{TINYGO_BUILD}"
    return {"lines": lines, "advice": advice, "near": f" {near}" if near else ""}


DIRECT_MISTAKES: Final[Mapping[str, Known]] = {
    "direct-wasm-unreadable": Known(
        "Cannot read {file}: {problem}",
        "`main` names a .wasm, which is the whole Worker; without it there is nothing to serve.",
        "Build it:\n\n" + TINYGO_BUILD,
    ),
    "direct-wasm-empty": Known(
        "{file} is empty",
        "`main` names a .wasm, and it has no bytes. Perhaps a build was interrupted, or the disk is full.",
        "Build it again:\n\n" + TINYGO_BUILD,
    ),
    "direct-not-wasm": Known(
        "{file} is not WebAssembly",
        "A module begins with the bytes 00 61 73 6d 01 00 00 00; this file begins with {begins}. {looks}",
        "{advice}",
        derive=not_wasm_texts,
    ),
    "direct-wasm-invalid": Known(
        "{file} is not a valid WebAssembly module: {problem}",
        "The file begins like a module, but compiling it failed. Perhaps it was cut short, or it needs a "
        "feature of WebAssembly that Workers do not have.",
        "Build it again:\n\n" + TINYGO_BUILD,
    ),
    "direct-wasm-imports": Known(
        "{file} needs functions that nobody provides: {imports}",
        "A Worker that is only a .wasm gets no imports. {built}",
        "{rebuild}",
        derive=_imports,
    ),
    "direct-export-missing": Known(
        "{file} does not export {missing}",
        "A Worker without JavaScript is called through its exports. It has: {present}.{near}",
        "{advice}",
        derive=_exports,
    ),
    "direct-export-mistyped": Known(
        "{file} exports {name} as {found}, but it must be {wanted}",
        "Pointers and lengths are i32: in Go uintptr, unsafe.Pointer and int32 (int is i32 as well; int64 "
        "and uint64 are not).",
        "{lines}",
        derive=_exports,
    ),
    "direct-start-failed": Known(
        "{file} failed while it was started: {exception}",
        "{during} ran before the first request, and trapped. It runs Go's package initialisers: variables "
        "with values that are computed, and init(). {means}",
        "Look at `var x = ...` and `func init()` in the packages that you import. {advice}",
        derive=_trap,
    ),
    "direct-instantiate-failed": Known(
        "{file} cannot be instantiated: {problem}",
        "Perhaps it wants more memory at its start than a Worker may have (128 MB), or its data does not fit "
        "into the memory that it declares.",
        "Build it again with the usual settings:\n\n" + TINYGO_BUILD,
    ),
    "direct-trap": Known(
        "Uncaught {exception} (in {during})",
        "{means} The instance lives on, as on the platform, and its variables are as the trap left them.",
        "{advice}",
        derive=_trap,
    ),
    "direct-alloc-out-of-bounds": Known(
        "alloc gave a buffer outside of the memory: {length} bytes at address {pointer}",
        "The memory has {memory} bytes. What the request brings is copied to where alloc({length}) says.",
        "{lines}",
        derive=_exports,
    ),
    "direct-response-out-of-bounds": Known(
        "{pointer_name}() and {length_name}() lie outside of the memory: {length} bytes at address {pointer}",
        "The memory has {memory} bytes. The pointer must be the address of the first byte, and the length "
        "the number of bytes from there, both of the same slice; a negative length is no length.",
        "{lines}",
        derive=_exports,
    ),
    "direct-status": Known(
        "getStatus() gave {status}, which is no status of a response",
        "Responses may have a status from 200 to 599, inclusive. Perhaps the variable was never set: Go's "
        "zero value is 0.",
        "var responseStatus int32 = 200",
    ),
    "direct-header-invalid": Known(
        "A response header is not valid: {line}",
        "responseHeadersPtr() and responseHeadersLen() give lines `Name: value`, with newlines. {problem}",
        'responseHeaders = []byte("Content-Type: text/html;charset=UTF-8\\nCache-Control: no-store\\n")',
    ),
    "direct-body-broken": Known(
        "The request's body broke off: {problem}",
        "setBody takes the whole body at once, and the client left before it had sent all.",
        "Nothing to mend in the Worker.",
        severity="warning",
    ),
}
