import wasmModule from "./worker.wasm";

// wasmModule 已是 WebAssembly.Module,instantiate 直接回傳 Instance
const instance = await WebAssembly.instantiate(wasmModule, {});
const { handle, responsePtr, responseLen, memory } = instance.exports;

export default {
  async fetch(request) {
    handle();
    const ptr = responsePtr();
    const len = responseLen();
    const body = new TextDecoder().decode(new Uint8Array(memory.buffer, ptr, len));
    return new Response(body);
  },
};
