// Records what production's engine says: the messages of common mistakes, in V8's words.
//
//   npm install workerd                        (anywhere; not in this repository)
//   node tests/isolate/javascript/record_workerd.mjs path/to/node_modules/workerd/bin/workerd
//
// Each line of data/snippets.txt is the body of a strict async function; its answer in
// data/messages.json is what it throws, as text. Not run in CI: the tests compare with what is recorded.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PORT = 9873;
const WORKER = `export default {
  async fetch(request, env) {
    const answers = {};
    for (const code of await request.json()) {
      try {
        await env.EVAL.newAsyncFunction('"use strict";\\n' + code)();
      } catch (error) {
        answers[code] = String(error);
      }
    }
    return Response.json(answers);
  },
};`;
const CONFIG = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [(name = "worker", esModule = embed "worker.js")],
    compatibilityDate = "2026-05-01",
    bindings = [(name = "EVAL", unsafeEval = void)],
  ))],
  sockets = [(name = "http", address = "127.0.0.1:${PORT}", http = (), service = "main")],
);`;

const ask = async (body) => {
  for (let attempt = 0; ; attempt++) {
    try {
      return await (await fetch(`http://127.0.0.1:${PORT}/`, { method: "POST", body })).json();
    } catch (error) {
      if (attempt > 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
};

const [binary] = process.argv.slice(2);
const snippets = readFileSync(new URL("data/snippets.txt", import.meta.url), "utf8").trimEnd().split("\n");
const directory = mkdtempSync(join(tmpdir(), "record-"));
writeFileSync(join(directory, "worker.js"), WORKER);
writeFileSync(join(directory, "config.capnp"), CONFIG);
const server = spawn(binary, ["serve", join(directory, "config.capnp"), "--experimental"], { stdio: "ignore" });
try {
  const answers = await ask(JSON.stringify(snippets));
  writeFileSync(new URL("data/messages.json", import.meta.url), JSON.stringify(answers, null, 1) + "\n");
} finally {
  server.kill();
  rmSync(directory, { recursive: true });
}
