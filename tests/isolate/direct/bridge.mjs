// Serves requests through docs/go-abi-worker.js in Node. Arguments: the bridge, a module.
// Standard input: requests, a line of JSON each; standard output: the responses, likewise.
import { readFileSync } from "node:fs";

const [bridge, wasm] = process.argv.slice(2);
const source = readFileSync(bridge, "utf8").replace(
  'import wasmModule from "./worker.wasm";',
  "const wasmModule = new WebAssembly.Module(globalThis.wasmBytes);",
);
globalThis.wasmBytes = readFileSync(wasm);
const worker = (await import(`data:text/javascript;base64,${Buffer.from(source).toString("base64")}`)).default;

async function answer({ method, url, headers, body }) {
  const sent = body === null ? undefined : Buffer.from(body, "base64");
  try {
    const response = await worker.fetch(new Request(url, { method, headers, body: sent }));
    const bytes = Buffer.from(await response.arrayBuffer());
    return { status: response.status, headers: [...response.headers], body: bytes.toString("base64") };
  } catch (error) {
    return { error: error.name };
  }
}

for (const line of readFileSync(0, "utf8").split("\n")) {
  if (line) console.log(JSON.stringify(await answer(JSON.parse(line))));
}
