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
import { readFileSync } from "node:fs";
import { askAll, readNew, versionOf, withWorkerd, writeCorpus } from "../../support/recording.mjs";

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

const [binary, ...files] = process.argv.slice(2);
const { prelude, programs } = JSON.parse(readFileSync(DATA, "utf8"));
programs.push(...files.flatMap(readNew));
await inNode(prelude.join("\n"), programs);
const wasm = Object.fromEntries(names.map((name) => [name, bytesOf(name)]));
await withWorkerd(binary, WORKER, wasm, (ask) =>
  askAll(ask, prelude.join("\n"), programs, BATCH, (program, answer) => {
    program.workerd = answer === program.expect ? undefined : answer;
  }),
);
const header = { node: process.version, v8: process.versions.v8, runtime: await versionOf(binary) };
const corpus = programs.map(({ group, code, expect, workerd }) => ({ group, code, expect, workerd }));
writeCorpus(DATA, header, prelude, corpus);
