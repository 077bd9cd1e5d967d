// What the recorders of V8's answers share: a workerd that serves one Worker, and files of new programs.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const COMPATIBILITY_DATE = "2026-05-01";
const PORT = 9873;

const run = (binary, ...args) => spawn(binary, args, { stdio: ["ignore", "pipe", "ignore"] });

// The version that the program `binary` prints.
export const versionOf = async (binary) => {
  let text = "";
  for await (const part of run(binary, "--version").stdout) text += part;
  return text.trim();
};

const config = (wasm) => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [(name = "worker", esModule = embed "worker.js")${wasm.map((name) => `,
      (name = "${name}.wasm", wasm = embed "${name}.wasm")`).join("")}],
    compatibilityDate = "${COMPATIBILITY_DATE}",
    bindings = [(name = "EVAL", unsafeEval = void)],
  ))],
  sockets = [(name = "http", address = "127.0.0.1:${PORT}", http = (), service = "main")],
);`;

const ask = async (question) => {
  for (let attempt = 0; ; attempt++) {
    try {
      const answer = await fetch(`http://127.0.0.1:${PORT}/`, { method: "POST", body: JSON.stringify(question) });
      return await answer.json();
    } catch (error) {
      if (attempt > 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
};

// Serves `source` (its `env.EVAL` makes functions of text) with `wasm`, modules by name, while `use(ask)` runs.
export const withWorkerd = async (binary, source, wasm, use) => {
  const directory = mkdtempSync(join(tmpdir(), "record-"));
  for (const [name, bytes] of Object.entries(wasm)) writeFileSync(join(directory, `${name}.wasm`), bytes);
  writeFileSync(join(directory, "worker.js"), source);
  writeFileSync(join(directory, "config.capnp"), config(Object.keys(wasm)));
  const server = run(binary, "serve", join(directory, "config.capnp"), "--experimental");
  try {
    await use(ask);
  } finally {
    server.kill();
    rmSync(directory, { recursive: true });
  }
};

// Asks for the programs in batches; `take(program, answer)` gets each answer.
export const askAll = async (ask, prelude, programs, batch, take) => {
  for (let at = 0; at < programs.length; at += batch) {
    const part = programs.slice(at, at + batch);
    const answers = await ask({ prelude, codes: part.map(({ code }) => code) });
    part.forEach((program, index) => take(program, answers[index]));
  }
};

// Programs of a file: one a line, below a line `## group`.
export const readNew = (file) => {
  let group = "";
  const programs = [];
  for (const line of readFileSync(file, "utf8").split("\n")) {
    if (line.startsWith("## ")) group = line.slice(3);
    else if (line.trim() !== "") programs.push({ group, code: line });
  }
  return programs;
};

// Writes a corpus with one line for each program.
export const writeCorpus = (file, header, prelude, programs) => {
  const recorded = { ...header, compatibility_date: COMPATIBILITY_DATE, recorded: new Date().toISOString().slice(0, 10) };
  const lines = programs.map((program) => JSON.stringify(program));
  writeFileSync(
    file,
    `{\n"header": ${JSON.stringify(recorded)},\n"prelude": ${JSON.stringify(prelude, null, 1)},\n` +
      `"programs": [\n${lines.join(",\n")}\n]\n}\n`,
  );
};
