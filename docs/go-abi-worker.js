// Serves a worker.wasm that speaks cfw-emu's direct ABI (docs/go-abi.md) on Cloudflare.
// Put this file beside worker.wasm and set  main = "worker.js"  in the wrangler file.
import wasmModule from "./worker.wasm";

const instance = await WebAssembly.instantiate(wasmModule, {});
const wasm = instance.exports;
(wasm._initialize ?? wasm._start)?.();

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const NULL_BODY = [204, 205, 304];

// Copy bytes to where alloc says; never alloc(0).
function give(bytes) {
  const ptr = wasm.alloc(bytes.length || 1) >>> 0;
  new Uint8Array(wasm.memory.buffer, ptr, bytes.length).set(bytes);
  return [ptr, bytes.length];
}

// A copy of `length` bytes of the memory: the module may reuse its own.
function take(ptr, length) {
  return length === 0 ? new Uint8Array(0) : new Uint8Array(wasm.memory.buffer, ptr >>> 0, length).slice();
}

function requestHeaders(request) {
  let lines = "";
  for (const [name, value] of request.headers) lines += `${name}: ${value}\n`;
  return encoder.encode(lines);
}

function responseHeaders() {
  const headers = new Headers();
  if (wasm.responseHeadersPtr === undefined) return headers;
  const text = decoder.decode(take(wasm.responseHeadersPtr(), wasm.responseHeadersLen()));
  for (const each of text.split("\n")) {
    const line = each.replace(/^[ \t\r]+|[ \t\r]+$/g, "");
    if (line === "") continue;
    const colon = line.indexOf(":");
    if (colon < 0) throw new TypeError(`Invalid header line: ${line}`);
    headers.append(line.slice(0, colon), line.slice(colon + 1));
  }
  return headers;
}

// {...} and [...] are JSON, all else is text.
function contentType(body) {
  const space = (byte) => byte === 32 || byte === 9 || byte === 10 || byte === 13;
  let first = 0, last = body.length - 1;
  while (first < last && space(body[first])) first++;
  while (last > first && space(body[last])) last--;
  const ends = first < last ? String.fromCharCode(body[first], body[last]) : "";
  return ends === "{}" || ends === "[]" ? "application/json" : "text/plain;charset=UTF-8";
}

function handle(request, body) {
  if (wasm.setBody) wasm.setBody(...give(body));
  if (wasm.setUrl) wasm.setUrl(...give(encoder.encode(request.url)));
  if (wasm.setHeaders) wasm.setHeaders(...give(requestHeaders(request)));
  if (wasm.handle.length === 0) return wasm.handle();
  const method = give(encoder.encode(request.method));
  const path = give(encoder.encode(new URL(request.url).pathname));
  wasm.handle(...method, ...path);
}

export default {
  async fetch(request) {
    const sent = wasm.setBody ? new Uint8Array(await request.arrayBuffer()) : null;
    // From here on nothing waits, so that requests do not mix.
    handle(request, sent);
    const ptr = wasm.responsePtr();
    const length = wasm.responseLen();
    const status = wasm.getStatus ? wasm.getStatus() : 200;
    const headers = responseHeaders();
    const body = take(ptr, length);
    wasm.release?.();
    if (NULL_BODY.includes(status)) return new Response(null, { status, headers });
    if (!headers.has("Content-Type")) headers.set("Content-Type", contentType(body));
    return new Response(body, { status, headers });
  },
};
