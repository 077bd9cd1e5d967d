// Records what the real runtime answers to the programs of data/workerd.json.
//
//   npm install workerd                        (anywhere; not in this repository)
//   node tests/isolate/realm/record_workerd.mjs path/to/node_modules/workerd/bin/workerd [new.txt ...]
//
// Every program is an expression that runs in an async function after the prelude; its value is
// compared as JSON. Programs of the files `new.txt` are added: one a line, below a line
// `## group`. Not run in CI: the tests compare the emulator with the recorded answers.
import { readFileSync } from "node:fs";
import { askAll, readNew, versionOf, withWorkerd, writeCorpus } from "../../support/recording.mjs";

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

const [binary, ...files] = process.argv.slice(2);
const { prelude, programs } = JSON.parse(readFileSync(DATA, "utf8"));
programs.push(...files.flatMap(readNew));
await withWorkerd(binary, WORKER, {}, (ask) =>
  askAll(ask, prelude.join("\n"), programs, BATCH, (program, answer) => {
    program.expect = answer;
  }),
);
const corpus = programs.map(({ group, code, expect }) => ({ group, code, expect }));
writeCorpus(DATA, { runtime: await versionOf(binary) }, prelude, corpus);
