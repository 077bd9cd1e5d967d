// Records what the real runtime answers to the programs of data/workerd.json.
//
//   npm install workerd                        (anywhere; not in this repository)
//   node tests/isolate/realm/record_workerd.mjs path/to/node_modules/workerd/bin/workerd [new.txt ...]
//
// Every program is an expression that runs in an async function after the prelude; its value is
// compared as JSON. Programs of the files `new.txt` are added: one a line, below a line
// `## group`. Not run in CI: the tests compare the emulator with the recorded answers.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const COMPATIBILITY_DATE = "2026-05-01";
const PORT = 9871;
const BATCH = 40;
const DATA = new URL("data/workerd.json", import.meta.url);

const WORKER = `export default {
  async fetch(request, env) {
    const { prelude, codes } = await request.json();
    const answers = [];
    for (const code of codes) {
      let answer, timer;
      try {
        const program = env.EVAL.newAsyncFunction(prelude + "\\nreturn (\\n" + code + "\\n);");
        const late = new Promise((_, no) => { timer = setTimeout(() => no(new Error("(never settles)")), 2000); });
        answer = { ok: await Promise.race([program(), late]) };
        JSON.stringify(answer);
      } catch (e) {
        answer = Object(e) === e
          ? { err: String(e.name), msg: String(e.message) }
          : { err: "(not an error)", msg: String(e) };
      }
      clearTimeout(timer);
      answers.push(answer);
    }
    return Response.json(answers);
  },
};`;
const CONFIG = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [(name = "worker", esModule = embed "worker.js")],
    compatibilityDate = "${COMPATIBILITY_DATE}",
    bindings = [(name = "EVAL", unsafeEval = void)],
  ))],
  sockets = [(name = "http", address = "127.0.0.1:${PORT}", http = (), service = "main")],
);`;

const run = (binary, ...args) => spawn(binary, args, { stdio: ["ignore", "pipe", "ignore"] });
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
const directory = mkdtempSync(join(tmpdir(), "record-"));
writeFileSync(join(directory, "worker.js"), WORKER);
writeFileSync(join(directory, "config.capnp"), CONFIG);
const server = run(binary, "serve", join(directory, "config.capnp"), "--experimental");
try {
  for (let at = 0; at < programs.length; at += BATCH) {
    const part = programs.slice(at, at + BATCH);
    const answers = await ask(JSON.stringify({ prelude: prelude.join("\n"), codes: part.map(({ code }) => code) }));
    part.forEach((program, index) => {
      program.expect = answers[index];
    });
  }
} finally {
  server.kill();
  rmSync(directory, { recursive: true });
}
const header = {
  runtime: await versionOf(binary),
  compatibility_date: COMPATIBILITY_DATE,
  recorded: new Date().toISOString().slice(0, 10),
};
const lines = programs.map(({ group, code, expect }) => JSON.stringify({ group, code, expect }));
writeFileSync(
  DATA,
  `{\n"header": ${JSON.stringify(header)},\n"prelude": ${JSON.stringify(prelude, null, 1)},\n` +
    `"programs": [\n${lines.join(",\n")}\n]\n}\n`,
);
