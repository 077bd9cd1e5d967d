import wasmModule from "./worker.wasm";

const instance = await WebAssembly.instantiate(wasmModule, {});
const { handle, responsePtr, responseLen, getStatus, alloc, memory } = instance.exports;

function writeString(str) {
  const encoded = new TextEncoder().encode(str);
  const ptr = alloc(encoded.length);
  new Uint8Array(memory.buffer, ptr, encoded.length).set(encoded);
  return [ptr, encoded.length];
}

export default {
  async fetch(request) {
    const url = new URL(request.url);
    const [methodPtr, methodLen] = writeString(request.method);
    const [pathPtr, pathLen] = writeString(url.pathname);
    handle(methodPtr, methodLen, pathPtr, pathLen);
    const ptr = responsePtr();
    const len = responseLen();
    const status = getStatus();
    const body = new TextDecoder().decode(new Uint8Array(memory.buffer, ptr, len));
    const headers = url.pathname === "/json"
      ? { "Content-Type": "application/json" }
      : { "Content-Type": "text/plain" };
    return new Response(body, { status, headers });
  },
};
