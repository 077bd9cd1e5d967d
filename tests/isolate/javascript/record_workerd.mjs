// Records what production's engine says: the messages of common mistakes, in V8's words.
//
//   npm install workerd                        (anywhere; not in this repository)
//   node tests/isolate/javascript/record_workerd.mjs path/to/node_modules/workerd/bin/workerd
//
// Each line of data/snippets.txt is the body of a strict async function; its answer in
// data/messages.json is what it throws, as text. Not run in CI: the tests compare with what is recorded.
import { readFileSync, writeFileSync } from "node:fs";
import { withWorkerd } from "../../support/recording.mjs";

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

const [binary] = process.argv.slice(2);
const snippets = readFileSync(new URL("data/snippets.txt", import.meta.url), "utf8").trimEnd().split("\n");
await withWorkerd(binary, WORKER, {}, async (ask) => {
  const answers = await ask(snippets);
  writeFileSync(new URL("data/messages.json", import.meta.url), JSON.stringify(answers, null, 1) + "\n");
});
