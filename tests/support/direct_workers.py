"""WebAssembly modules that speak the direct ABI (docs/go-abi.md), as text, for tests."""

from __future__ import annotations

ECHO = r"""
(module $echo
  (memory (export "memory") 2)
  (global $top (mut i32) (i32.const 1024))
  (global $out (mut i32) (i32.const 0))
  (global $length (mut i32) (i32.const 0))
  (global $url (mut i32) (i32.const 0)) (global $urlLength (mut i32) (i32.const 0))
  (global $headers (mut i32) (i32.const 0)) (global $headersLength (mut i32) (i32.const 0))
  (global $body (mut i32) (i32.const 0)) (global $bodyLength (mut i32) (i32.const 0))
  (global $started (mut i32) (i32.const 0))
  (func (export "_initialize") (global.set $started (i32.const 1)))
  (func $alloc (export "alloc") (param $size i32) (result i32)
    (local $at i32)
    (if (i32.le_s (local.get $size) (i32.const 0)) (then (unreachable)))
    (if (i32.eqz (global.get $started)) (then (unreachable)))
    (local.set $at (global.get $top))
    (global.set $top (i32.add (local.get $at) (local.get $size)))
    (loop $more
      (if (i32.gt_u (global.get $top) (i32.shl (memory.size) (i32.const 16)))
        (then
          (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then (unreachable)))
          (br $more))))
    (local.get $at))
  (func (export "setUrl") (param i32 i32)
    (global.set $url (local.get 0)) (global.set $urlLength (local.get 1)))
  (func (export "setHeaders") (param i32 i32)
    (global.set $headers (local.get 0)) (global.set $headersLength (local.get 1)))
  (func (export "setBody") (param i32 i32)
    (global.set $body (local.get 0)) (global.set $bodyLength (local.get 1)))
  (func $add (param $from i32) (param $size i32)
    (local $at i32)
    (local.set $at (i32.add (global.get $out) (global.get $length)))
    (memory.copy (local.get $at) (local.get $from) (local.get $size))
    (i32.store8 (i32.add (local.get $at) (local.get $size)) (i32.const 10))
    (global.set $length (i32.add (global.get $length) (i32.add (local.get $size) (i32.const 1)))))
  (func (export "handle") (param $method i32) (param $m i32) (param $path i32) (param $p i32)
    (global.set $length (i32.const 0))
    (global.set $out (call $alloc (i32.add (i32.const 5)
      (i32.add (i32.add (local.get $m) (local.get $p))
        (i32.add (global.get $urlLength) (i32.add (global.get $headersLength) (global.get $bodyLength)))))))
    (call $add (local.get $method) (local.get $m))
    (call $add (local.get $path) (local.get $p))
    (call $add (global.get $url) (global.get $urlLength))
    (call $add (global.get $headers) (global.get $headersLength))
    (call $add (global.get $body) (global.get $bodyLength)))
  (func (export "responsePtr") (result i32) (global.get $out))
  (func (export "responseLen") (result i32) (global.get $length))
  (func (export "release") (global.set $top (i32.const 1024)))
)
"""
"""Answers with method, path, URL, headers and body, a line (the headers: several) each."""

PUPPET = r"""
(module $puppet
  (memory (export "memory") 2)
  (global $body (mut i32) (i32.const 0))
  (func (export "alloc") (param i32) (result i32) (i32.const 4096))
  (func (export "setBody") (param i32 i32) (global.set $body (local.get 0)))
  (func (export "handle"))
  (func (export "responsePtr") (result i32) (i32.load (global.get $body)))
  (func (export "responseLen") (result i32) (i32.load offset=4 (global.get $body)))
  (func (export "getStatus") (result i32) (i32.load offset=8 (global.get $body)))
  (func (export "responseHeadersPtr") (result i32) (i32.load offset=12 (global.get $body)))
  (func (export "responseHeadersLen") (result i32) (i32.load offset=16 (global.get $body)))
)
"""
"""Gives what the request's body says: five little-endian i32 (pointer, length, status, headers' pointer and
length), then whatever; the body is at address 4096 of a memory of 131,072 bytes."""

PUPPET_BODY_AT = 4096
PUPPET_DATA = 20


def puppet_body(status: int, headers: bytes, body: bytes) -> bytes:
    """A request's body that makes ``PUPPET`` give this response."""
    at = PUPPET_BODY_AT + PUPPET_DATA
    numbers = (at, len(body), status, at + len(body), len(headers))
    return b"".join(number.to_bytes(4, "little", signed=True) for number in numbers) + body + headers


def worker(handle: str = "", *more: str, memory: str = "2", params: str = "", start: str = "") -> str:
    """A module with a ``handle`` of this code, which answers "hello"; ``more`` are further fields."""
    return f"""
(module
  (memory (export "memory") {memory})
  (data (i32.const 16) "hello")
  {start}
  {" ".join(more)}
  (func $main.handle (export "handle") {params} {handle})
  (func (export "responsePtr") (result i32) (i32.const 16))
  (func (export "responseLen") (result i32) (i32.const 5)))
"""
