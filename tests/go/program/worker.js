import "./wasm_exec.js";
import module from "./main.wasm";

let running = false;

// Inside the first request: at a Worker's top level there are no timers and no random values.
function start() {
  const go = new Go();
  const instance = new WebAssembly.Instance(module, go.importObject);
  running = true;
  go.run(instance).then(() => { // not awaited: main() waits for requests
    running = false;
  });
}

export default {
  async fetch(request) {
    if (!running) start();
    const [status, body] = await handleRequest(request.method, request.url);
    return new Response(body, { status });
  },
};
