// Records what V8 answers to the programs of data/node.json: Node's, and production's where that differs.
//
//   python tests/isolate/wasm/build_fixtures.py                          (after a change of a fixture)
//   npm install workerd                                                  (anywhere; not in this repository)
//   node tests/isolate/wasm/record_node.mjs path/to/bin/workerd [new.txt ...]
//
// Every program is an expression, or statements that end with `return`, in an async function behind
// the prelude; `mod(name)` is the module of a fixture. Its answer is what `show` makes of the
// value, or `throws Name: message`. Programs of the files `new.txt` are added: one a line, below a
// line `## group`. Not run in CI: the tests compare the emulator with the recorded answers.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const COMPATIBILITY_DATE = "2026-05-01";
const PORT = 9873;
const BATCH = 20;
const DATA = new URL("data/node.json", import.meta.url);
const FIXTURES = JSON.parse(readFileSync(new URL("data/fixtures.json", import.meta.url), "utf8"));
const names = Object.keys(FIXTURES);
const bytesOf = (name) => Buffer.from(FIXTURES[name], "base64");

// Both worlds run this; `compile` makes an async function of a body.
const ANSWER = `async (compile, prelude, code) => {
  let timer;
  try {
    let program;
    try { program = compile(prelude + "\\nreturn show(await (\\n" + code + "\\n));"); }
    catch (e) { program = compile(prelude + "\\nreturn show(await (async () => {\\n" + code + "\\n})());"); }
    const late = new Promise((_, no) => { timer = setTimeout(() => no(new Error("(never settles)")), 5000); });
    return await Promise.race([program(), late]);
  } catch (e) {
    return Object(e) === e ? "throws " + e.name + ": " + e.message : "throws " + String(e);
  } finally {
    clearTimeout(timer);
  }
}`;

process.on("unhandledRejection", () => {}); // programs that drop a promise

const inNode = async (prelude, programs) => {
  const modules = Object.fromEntries(names.map((name) => [name, new WebAssembly.Module(bytesOf(name))]));
  globalThis.mod = (name) => modules[name];
  const AsyncFunction = (async () => {}).constructor;
  const answer = (0, eval)(ANSWER);
  for (const program of programs) {
    program.expect = await answer((body) => new AsyncFunction(body), prelude, program.code);
  }
};

const WORKER = `${names.map((name) => `import ${name} from "${name}.wasm";`).join("\n")}
const modules = { ${names.join(", ")} };
globalThis.mod = (name) => modules[name];
const answer = ${ANSWER};
export default {
  async fetch(request, env) {
    const { prelude, codes } = await request.json();
    const answers = [];
    for (const code of codes) answers.push(await answer((body) => env.EVAL.newAsyncFunction(body), prelude, code));
    return Response.json(answers);
  },
};`;
const CONFIG = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [(name = "worker", esModule = embed "worker.js"),
      ${names.map((name) => `(name = "${name}.wasm", wasm = embed "${name}.wasm")`).join(", ")}],
    compatibilityDate = "${COMPATIBILITY_DATE}",
    bindings = [(name = "EVAL", unsafeEval = void)],
  ))],
  sockets = [(name = "http", address = "127.0.0.1:${PORT}", http = (), service = "main")],
);`;

const run = (binary, ...args) => spawn(binary, args, { stdio: ["ignore", "pipe", "inherit"] });
const versionOf = async (binary) => {
  let text = "";
  for await (const part of run(binary, "--version").stdout) text += part;
  return text.trim();
};
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
const inWorkerd = async (binary, prelude, programs) => {
  const directory = mkdtempSync(join(tmpdir(), "record-"));
  for (const name of names) writeFileSync(join(directory, `${name}.wasm`), bytesOf(name));
  writeFileSync(join(directory, "worker.js"), WORKER);
  writeFileSync(join(directory, "config.capnp"), CONFIG);
  const server = run(binary, "serve", join(directory, "config.capnp"), "--experimental");
  try {
    for (let at = 0; at < programs.length; at += BATCH) {
      const part = programs.slice(at, at + BATCH);
      const answers = await ask(JSON.stringify({ prelude, codes: part.map(({ code }) => code) }));
      part.forEach((program, index) => {
        program.workerd = answers[index] === program.expect ? undefined : answers[index];
      });
    }
  } finally {
    server.kill();
    rmSync(directory, { recursive: true });
  }
};
const readNew = (file) => {
  let group = "";
  const programs = [];
  for (const line of readFileSync(file, "utf8").split("\n")) {
    if (line.startsWith("## ")) group = line.slice(3);
    else if (line.trim() !== "") programs.push({ group, code: line });
  }
  return programs;
};

const [binary, ...files] = process.argv.slice(2);
const { prelude, programs } = JSON.parse(readFileSync(DATA, "utf8"));
programs.push(...files.flatMap(readNew));
await inNode(prelude.join("\n"), programs);
await inWorkerd(binary, prelude.join("\n"), programs);
const header = {
  node: process.version,
  v8: process.versions.v8,
  runtime: await versionOf(binary),
  compatibility_date: COMPATIBILITY_DATE,
  recorded: new Date().toISOString().slice(0, 10),
};
const lines = programs.map(({ group, code, expect, workerd }) => JSON.stringify({ group, code, expect, workerd }));
writeFileSync(
  DATA,
  `{\n"header": ${JSON.stringify(header)},\n"prelude": ${JSON.stringify(prelude, null, 1)},\n` +
    `"programs": [\n${lines.join(",\n")}\n]\n}\n`,
);
