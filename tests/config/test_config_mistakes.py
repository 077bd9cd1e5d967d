"""Every mistake in a wrangler file, told in full: the expected texts are written out."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest

from emulator.config import ConfigError, load_config
from emulator.diagnostics.render import render_text


class Case(NamedTuple):
    name: str
    file: str
    text: str | bytes | None
    """What the file holds; None: it does not exist."""
    expected: str
    environment: str | None = None


CASES: list[Case] = [
    Case(
        "toml_text_without_quotes",
        "wrangler.toml",
        """\
name = hello
""",
        """\
✘ wrangler.toml is not valid TOML: a word without quotes
  --> wrangler.toml:1:8
  1 | name = hello
    |        ^
  fix: Text and dates stand in double quotes, true and false are lower case:

       name = "hello"
  see: docs/errors.md#config-syntax
""",
    ),
    Case(
        "toml_date_without_quotes_that_no_calendar_has",
        "wrangler.toml",
        """\
name = "w"
compatibility_date = 2024-13-01
""",
        """\
✘ wrangler.toml is not valid TOML: a word without quotes
  --> wrangler.toml:2:22
  2 | compatibility_date = 2024-13-01
    |                      ^
  fix: Text and dates stand in double quotes, true and false are lower case:

       compatibility_date = "2024-13-01"
  see: docs/errors.md#config-syntax
""",
    ),
    Case(
        "toml_key_twice",
        "wrangler.toml",
        """\
name = "w"
name = "v"
""",
        """\
✘ wrangler.toml is not valid TOML: name is given twice
  --> wrangler.toml:2:1
  2 | name = "v"
    | ^
  fix: Keep one of them; the keys of two tables belong under one header.
  see: docs/errors.md#config-syntax
""",
    ),
    Case(
        "toml_table_twice",
        "wrangler.toml",
        """\
name = "w"
main = "src/entry.py"
compatibility_date = "2024-12-01"
[vars]
A = 1
[vars]
""",
        """\
✘ wrangler.toml is not valid TOML: vars is given twice
  --> wrangler.toml:6:1
  6 | [vars]
    | ^
  fix: Keep one of them; the keys of two tables belong under one header.
  see: docs/errors.md#config-syntax
""",
    ),
    Case(
        "toml_unclosed_string",
        "wrangler.toml",
        """\
name = "w
main = 1
""",
        """\
✘ wrangler.toml is not valid TOML: the text is not closed on its line
  --> wrangler.toml:1:10
  1 | name = "w
    |          ^
  fix: Close the quote.
  see: docs/errors.md#config-syntax
""",
    ),
    Case(
        "toml_unclosed_array",
        "wrangler.toml",
        """\
compatibility_flags = ["python_workers"
""",
        """\
✘ wrangler.toml is not valid TOML: unclosed array
  --> wrangler.toml:1:40
  1 | compatibility_flags = ["python_workers"
    |                                        ^
  fix: Mend the line; https://toml.io describes the format.
  see: docs/errors.md#config-syntax
""",
    ),
    Case(
        "json_missing_comma",
        "wrangler.jsonc",
        """\
{
  // 名
  "name": "漢字"
  "main": 1
}
""",
        """\
✘ wrangler.jsonc is not valid JSON: expected "," or "}", found '"'
  --> wrangler.jsonc:4:3
  4 |   "main": 1
    |   ^
  fix: Put a comma between the two; it usually belongs at the end of the line above.
  see: docs/errors.md#config-syntax
""",
    ),
    Case(
        "json_missing_colon",
        "wrangler.json",
        """\
{
  "name" "w"
}
""",
        """\
✘ wrangler.json is not valid JSON: expected ":", found '"'
  --> wrangler.json:2:10
  2 |   "name" "w"
    |          ^
  see: docs/errors.md#config-syntax
""",
    ),
    Case(
        "json_unclosed",
        "wrangler.json",
        """\
{
  "name": "w",
""",
        """\
✘ wrangler.json is not valid JSON: unclosed "{"
  --> wrangler.json:1:1
  1 | {
    | ^
  see: docs/errors.md#config-syntax
""",
    ),
    Case(
        "json_key_without_quotes",
        "wrangler.json",
        """\
{
  name: "w"
}
""",
        """\
✘ wrangler.json is not valid JSON: the key name must stand in double quotes
  --> wrangler.json:2:3
  2 |   name: "w"
    |   ^
  see: docs/errors.md#config-syntax
""",
    ),
    Case(
        "json_single_quotes",
        "wrangler.json",
        """\
{
  "name": 'w'
}
""",
        """\
✘ wrangler.json is not valid JSON: 'w' must stand in double quotes
  --> wrangler.json:2:11
  2 |   "name": 'w'
    |           ^
  see: docs/errors.md#config-syntax
""",
    ),
    Case(
        "json_array",
        "wrangler.json",
        """\
[1]
""",
        """\
✘ wrangler.json holds an array, not an object
  --> wrangler.json:1:1
  1 | [1]
    | ^
  why: A wrangler file is one object of keys.
  fix: Start it with { "name": ... and end it with }
  see: docs/errors.md#config-not-a-table
""",
    ),
    Case(
        "json_empty",
        "wrangler.json",
        "",
        """\
✘ wrangler.json is not valid JSON: no JSON data found
  --> wrangler.json
  fix: Write an object: { "name": "my-worker", ... }
  see: docs/errors.md#config-syntax
""",
    ),
    Case(
        "json_duplicate_key",
        "wrangler.json",
        """\
{
  "name": "w",
  "main": "src/entry.py",
  "compatibility_date": "2024-12-01",
  "main": "a.py"
}
""",
        """\
▲ "main" is given twice
  --> wrangler.json:5:3
  5 |   "main": "a.py"
    |   ^
  why: In JSON the last one wins, silently.
  fix: Remove one of the two; the other is on line 3.
  see: docs/errors.md#config-duplicate-key
""",
    ),
    Case(
        "not_utf8",
        "wrangler.toml",
        b'name = "w"\nmain = "\xba~"\n',
        """\
✘ wrangler.toml is not UTF-8 text
  --> wrangler.toml:2
  why: Byte 0xba at offset 19 does not belong to UTF-8. Some editors save as UTF-16, GBK or Big5.
  fix: Save the file as UTF-8.
  see: docs/errors.md#file-not-utf8
""",
    ),
    Case(
        "wrong_types",
        "wrangler.toml",
        """\
name = 3
main = ["a.py"]
compatibility_date = 20241201
compatibility_flags = "python_workers"
workers_dev = "true"
vars = "A=1"
routes = "x"
kv_namespaces = ["KV"]
[limits]
cpu_ms = "10"
[triggers]
crons = "* * * * *"
""",
        """\
✘ Expected "name" to be text, but got 3
  --> wrangler.toml:1:8
  1 | name = 3
    |        ^
  fix: name = "3"
  see: docs/errors.md#config-wrong-type
✘ Expected "main" to be text, but got ["a.py"]
  --> wrangler.toml:2:8
  2 | main = ["a.py"]
    |        ^
  fix: main = "a.py"
  see: docs/errors.md#config-wrong-type
✘ "compatibility_date" should be a date (YYYY-MM-DD), but got 20241201
  --> wrangler.toml:3:22
  3 | compatibility_date = 20241201
    |                      ^
  fix: compatibility_date = "2026-03-04"
  see: docs/errors.md#config-bad-date
✘ Expected "compatibility_flags" to be an array of text, but got "python_workers"
  --> wrangler.toml:4:23
  4 | compatibility_flags = "python_workers"
    |                       ^
  fix: compatibility_flags = ["python_workers"]
  see: docs/errors.md#config-wrong-type
✘ Expected "workers_dev" to be true or false, but got "true"
  --> wrangler.toml:5:15
  5 | workers_dev = "true"
    |               ^
  fix: workers_dev = true
  see: docs/errors.md#config-wrong-type
✘ Expected "vars" to be a table of keys, but got "A=1"
  --> wrangler.toml:6:8
  6 | vars = "A=1"
    |        ^
  fix: [vars]
       key = "value"
  see: docs/errors.md#config-wrong-type
✘ Expected "routes" to be an array, but got "x"
  --> wrangler.toml:7:10
  7 | routes = "x"
    |          ^
  fix: routes = ["x"]
  see: docs/errors.md#config-wrong-type
✘ Expected "kv_namespaces" to be an array of tables, but got ["KV"]
  --> wrangler.toml:8:17
  8 | kv_namespaces = ["KV"]
    |                 ^
  fix: [[kv_namespaces]]
       key = "value"
  see: docs/errors.md#config-wrong-type
✘ Expected "limits.cpu_ms" to be a number, but got "10"
  --> wrangler.toml:10:10
  10 | cpu_ms = "10"
     |          ^
  fix: cpu_ms = 10
  see: docs/errors.md#config-wrong-type
✘ Expected "triggers.crons" to be an array of text, but got "* * * * *"
  --> wrangler.toml:12:9
  12 | crons = "* * * * *"
     |         ^
  fix: crons = ["* * * * *"]
  see: docs/errors.md#config-wrong-type
▲ not emulated yet: routes, kv_namespaces, triggers
  --> wrangler.toml:7:1
  7 | routes = "x"
    | ^
  why: These keys are valid, but this release does nothing with them.
  fix: Nothing to mend; code that needs them will not find them on `env`.
  see: docs/errors.md#config-not-emulated
""",
    ),
    Case(
        "wrong_types_json",
        "wrangler.json",
        """\
{
  "name": true,
  "main": 1.5,
  "compatibility_date": "2024-12-01",
  "compatibility_flags": [1],
  "vars": [],
  "env": []
}
""",
        """\
✘ Expected "name" to be text, but got true
  --> wrangler.json:2:11
  2 |   "name": true,
    |           ^
  fix: "name": "my-worker"
  see: docs/errors.md#config-wrong-type
✘ Expected "main" to be text, but got 1.5
  --> wrangler.json:3:11
  3 |   "main": 1.5,
    |           ^
  fix: "main": "1.5"
  see: docs/errors.md#config-wrong-type
✘ Expected "compatibility_flags" to be an array of text, but got [1]
  --> wrangler.json:5:26
  5 |   "compatibility_flags": [1],
    |                          ^
  fix: "compatibility_flags": ["..."]
  see: docs/errors.md#config-wrong-type
✘ Expected "vars" to be a table of keys, but got []
  --> wrangler.json:6:11
  6 |   "vars": [],
    |           ^
  fix: "vars": { ... }
  see: docs/errors.md#config-wrong-type
✘ Expected "env" to be a table of keys, but got []
  --> wrangler.json:7:10
  7 |   "env": []
    |          ^
  fix: "env": { ... }
  see: docs/errors.md#config-wrong-type
""",
    ),
    Case(
        "bad_name",
        "wrangler.toml",
        """\
name = "My Worker_漢"
main = "src/entry.py"
compatibility_date = "2024-12-01"
""",
        """\
✘ Expected "name" to be alphanumeric and lowercase with dashes only, but got "My Worker_漢"
  --> wrangler.toml:1:8
  1 | name = "My Worker_漢"
    |        ^
  why: The name becomes part of the Worker's host name.
  fix: name = "my-worker_"
  see: docs/errors.md#config-bad-name
""",
    ),
    Case(
        "toml_date_type",
        "wrangler.toml",
        """\
name = "w"
main = "src/entry.py"
compatibility_date = 2024-12-01
""",
        """\
✘ "compatibility_date" should be a date (YYYY-MM-DD), but got 2024-12-01
  --> wrangler.toml:3:22
  3 | compatibility_date = 2024-12-01
    |                      ^
  why: TOML has dates of its own, but wrangler reads only text.
  fix: compatibility_date = "2024-12-01"
  see: docs/errors.md#config-bad-date
""",
    ),
    Case(
        "date_in_words",
        "wrangler.toml",
        """\
name = "w"
main = "src/entry.py"
compatibility_date = "yesterday"
""",
        """\
✘ "compatibility_date" should be a date (YYYY-MM-DD), but got "yesterday"
  --> wrangler.toml:3:22
  3 | compatibility_date = "yesterday"
    |                      ^
  why: It selects the platform's behaviour as of that day.
  fix: compatibility_date = "2026-03-04"
  see: docs/errors.md#config-bad-date
""",
    ),
    Case(
        "date_no_such_day",
        "wrangler.toml",
        """\
name = "w"
main = "src/entry.py"
compatibility_date = "2024-02-30"
""",
        """\
✘ "compatibility_date" should be a date (YYYY-MM-DD), but got "2024-02-30"
  --> wrangler.toml:3:22
  3 | compatibility_date = "2024-02-30"
    |                      ^
  why: The calendar has no such day.
  fix: compatibility_date = "2026-03-04"
  see: docs/errors.md#config-bad-date
""",
    ),
    Case(
        "date_with_long_dashes",
        "wrangler.toml",
        """\
name = "w"
main = "src/entry.py"
compatibility_date = "2024–12–01"
""",
        """\
✘ "compatibility_date" should be a date (YYYY-MM-DD), but got "2024–12–01"
  --> wrangler.toml:3:22
  3 | compatibility_date = "2024–12–01"
    |                      ^
  why: Use hyphens (-), not the longer dashes that word processors insert.
  fix: compatibility_date = "2024-12-01"
  see: docs/errors.md#config-bad-date
""",
    ),
    Case(
        "date_with_slashes",
        "wrangler.toml",
        """\
name = "w"
main = "src/entry.py"
compatibility_date = "2024/2/1"
""",
        """\
✘ "compatibility_date" should be a date (YYYY-MM-DD), but got "2024/2/1"
  --> wrangler.toml:3:22
  3 | compatibility_date = "2024/2/1"
    |                      ^
  why: It selects the platform's behaviour as of that day.
  fix: compatibility_date = "2024-02-01"
  see: docs/errors.md#config-bad-date
""",
    ),
    Case(
        "date_in_the_future",
        "wrangler.jsonc",
        """\
{
  "name": "w",
  "main": "src/entry.py",
  "compatibility_date": "2999-01-01"
}
""",
        """\
✘ "compatibility_date" 2999-01-01 is in the future
  --> wrangler.jsonc:4:25
  4 |   "compatibility_date": "2999-01-01"
    |                         ^
  why: It selects the platform's behaviour as of a day, which cannot be later than today (2026-03-04, UTC).
  fix: "compatibility_date": "2026-03-04"
  see: docs/errors.md#config-future-date
""",
    ),
    Case(
        "unknown_environment",
        "wrangler.toml",
        """\
name = "w"
main = "src/entry.py"
compatibility_date = "2024-12-01"
[env.staging]
[env.production]
""",
        """\
✘ No environment named "prod" in wrangler.toml
  --> wrangler.toml:4:2
  4 | [env.staging]
    |  ^
  why: The file has staging, production.
  fix: Use --env with one of these names, or add the section:

       [env.prod]
  see: docs/errors.md#config-unknown-environment
""",
        "prod",
    ),
    Case(
        "environment_of_a_wrong_type",
        "wrangler.toml",
        """\
name = "w"
main = "src/entry.py"
compatibility_date = "2024-12-01"
[env]
prod = 1
""",
        """\
✘ Expected "env.prod" to be a table of keys, but got 1
  --> wrangler.toml:5:8
  5 | prod = 1
    |        ^
  fix: [env.prod]
       key = "value"
  see: docs/errors.md#config-wrong-type
""",
        "prod",
    ),
    Case(
        "mistake_in_an_environment",
        "wrangler.toml",
        """\
name = "w"
main = "src/entry.py"
compatibility_date = "2024-12-01"
[env.prod]
main = 1
nmae = "x"
send_metrics = true
""",
        """\
✘ Expected "env.prod.main" to be text, but got 1
  --> wrangler.toml:5:8
  5 | main = 1
    |        ^
  fix: main = "1"
  see: docs/errors.md#config-wrong-type
▲ Unexpected key "env.prod.nmae"
  --> wrangler.toml:6:1
  6 | nmae = "x"
    | ^
  why: Wrangler does not know it, so it has no effect.
  fix: Did you mean "name"?
  see: docs/errors.md#config-unknown-key
▲ Unexpected key "env.prod.send_metrics"
  --> wrangler.toml:7:1
  7 | send_metrics = true
    | ^
  why: Wrangler does not know it, so it has no effect.
  fix: "send_metrics" belongs at the top level of the file.
  see: docs/errors.md#config-unknown-key
""",
        "prod",
    ),
    Case(
        "integer_beyond_javascript",
        "wrangler.toml",
        """\
name = "w"
main = "src/entry.py"
compatibility_date = "2024-12-01"
[vars]
A = [{ B = 9007199254740993 }]
""",
        """\
✘ Expected "vars.A[0].B" to be at most 2**53 - 1, but got 9007199254740993
  --> wrangler.toml:5:12
  5 | A = [{ B = 9007199254740993 }]
    |            ^
  fix: Write it as text: "9007199254740993"
  see: docs/errors.md#config-wrong-type
""",
    ),
    Case(
        "unknown_keys",
        "wrangler.toml",
        """\
nam = "w"
name = "w"
main = "src/entry.py"
compatibility_date = "2024-12-01"
[varz]
x = 1
[build]
comand = "x"
[zzzzqq]
""",
        """\
▲ Unexpected key "nam"
  --> wrangler.toml:1:1
  1 | nam = "w"
    | ^
  why: Wrangler does not know it, so it has no effect.
  fix: Did you mean "name"?
  see: docs/errors.md#config-unknown-key
▲ Unexpected key "varz"
  --> wrangler.toml:5:2
  5 | [varz]
    |  ^
  why: Wrangler does not know it, so it has no effect.
  fix: Did you mean "vars"?
  see: docs/errors.md#config-unknown-key
▲ Unexpected key "build.comand"
  --> wrangler.toml:8:1
  8 | comand = "x"
    | ^
  why: Wrangler does not know it, so it has no effect.
  fix: Did you mean "command"?
  see: docs/errors.md#config-unknown-key
▲ Unexpected key "zzzzqq"
  --> wrangler.toml:9:2
  9 | [zzzzqq]
    |  ^
  why: Wrangler does not know it, so it has no effect.
  fix: Remove it.
  see: docs/errors.md#config-unknown-key
""",
    ),
    Case(
        "rules",
        "wrangler.toml",
        """\
name = "w"
compatibility_date = "2024-12-01"
[[rules]]
type = "text"
globs = "**/*.md"
[[rules]]
globs = ["a", 1]
fallthrough = "yes"
[[rules]]
type = "Data"
[[rules]]
type = "Text"
globs = ["*.a"]
""",
        """\
✘ "rules[0].type" is "text": a rule needs a type of module
  --> wrangler.toml:4:8
  4 | type = "text"
    |        ^
  why: The types are ESModule, CommonJS, CompiledWasm, Text, Data, PythonModule, PythonRequirement.
  fix: type = "Text"
  see: docs/errors.md#config-rule-type
✘ Expected "rules[0].globs" to be an array of text, but got "**/*.md"
  --> wrangler.toml:5:9
  5 | globs = "**/*.md"
    |         ^
  why: The patterns say which files are modules of this type.
  fix: globs = ["**/*.md"]
  see: docs/errors.md#config-wrong-type
✘ "rules[1].type" is missing: a rule needs a type of module
  --> wrangler.toml:6:1
  6 | [[rules]]
    | ^
  why: The types are ESModule, CommonJS, CompiledWasm, Text, Data, PythonModule, PythonRequirement.
  fix: type = "Text"
  see: docs/errors.md#config-rule-type
✘ Expected "rules[1].globs" to be an array of text, but got ["a", 1]
  --> wrangler.toml:7:9
  7 | globs = ["a", 1]
    |         ^
  why: The patterns say which files are modules of this type.
  fix: globs = ["**/*.txt"]
  see: docs/errors.md#config-wrong-type
✘ Expected "rules[1].fallthrough" to be true or false, but got "yes"
  --> wrangler.toml:8:15
  8 | fallthrough = "yes"
    |               ^
  fix: fallthrough = true
  see: docs/errors.md#config-wrong-type
✘ Expected "rules[2].globs" to be an array of text, but got nothing
  --> wrangler.toml:9:1
  9 | [[rules]]
    | ^
  why: The patterns say which files are modules of this type.
  fix: globs = ["**/*.bin"]
  see: docs/errors.md#config-wrong-type
""",
    ),
    Case(
        "rules_in_json",
        "wrangler.json",
        """\
{
  "name": "w",
  "compatibility_date": "2024-12-01",
  "rules": [{ "type": ["Text"], "globs": ["*.md"] }],
  "build": { "command": ["make"], "watch_dir": 1 }
}
""",
        """\
✘ "rules[0].type" is ["Text"]: a rule needs a type of module
  --> wrangler.json:4:23
  4 |   "rules": [{ "type": ["Text"], "globs": ["*.md"] }],
    |                       ^
  why: The types are ESModule, CommonJS, CompiledWasm, Text, Data, PythonModule, PythonRequirement.
  fix: "type": "Text"
  see: docs/errors.md#config-rule-type
✘ Expected "build.command" to be text, but got ["make"]
  --> wrangler.json:5:25
  5 |   "build": { "command": ["make"], "watch_dir": 1 }
    |                         ^
  fix: "command": "make"
  see: docs/errors.md#config-wrong-type
✘ Expected "build.watch_dir" to be text or an array of text, but got 1
  --> wrangler.json:5:48
  5 |   "build": { "command": ["make"], "watch_dir": 1 }
    |                                                ^
  fix: "watch_dir": "text"
  see: docs/errors.md#config-wrong-type
""",
    ),
    Case(
        "misspelled_date",
        "wrangler.json",
        """\
{
  "name": "w",
  "main": "a.py",
  "compatability_date": "2024-12-01"
}
""",
        """\
▲ Unexpected key "compatability_date"
  --> wrangler.json:4:3
  4 |   "compatability_date": "2024-12-01"
    |   ^
  why: Wrangler does not know it, so it has no effect.
  fix: Did you mean "compatibility_date"?
  see: docs/errors.md#config-unknown-key
▲ No compatibility_date in wrangler.json: using today's, 2026-03-04
  --> wrangler.json:1
  1 | {
  why: Without a date the platform's behaviour changes from day to day.
  fix: Add this line:

       "compatibility_date": "2026-03-04",
  see: docs/errors.md#config-missing-date
""",
    ),
    Case(
        "removed_key",
        "wrangler.toml",
        """\
name = "w"
main = "src/entry.py"
compatibility_date = "2024-12-01"
node_compat = true
type = "python"
""",
        """\
▲ "node_compat" is no longer supported
  --> wrangler.toml:4:1
  4 | node_compat = true
    | ^
  why: Wrangler 4 removed it.
  fix: Remove it. For JavaScript, compatibility_flags = ["nodejs_compat"] replaces it.
  see: docs/errors.md#config-removed-key
▲ "type" is no longer supported
  --> wrangler.toml:5:1
  5 | type = "python"
    | ^
  why: It is from wrangler 1; the language follows from `main`.
  fix: Remove it.
  see: docs/errors.md#config-removed-key
""",
    ),
    Case(
        "long_name",
        "wrangler.toml",
        """\
name = "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"
main = "src/entry.py"
compatibility_date = "2024-12-01"
""",
        """\
▲ The name "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww" has 64 characters; a host name allows 63
  --> wrangler.toml:1:1
  1 | name = "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"
    | ^
  why: http://<name>.localhost and <name>.<account>.workers.dev cannot hold more.
  fix: Choose a shorter name.
  see: docs/errors.md#config-long-name
""",
    ),
    Case(
        "missing",
        "wrangler.toml",
        None,
        """\
✘ There is no <project>/wrangler.toml
  why: `cfw-emu serve` takes a project directory, a wrangler file, or a directory of projects.
  fix: Check the path.
  see: docs/errors.md#no-such-path
""",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_what_the_user_reads(tmp_path: Path, case: Case) -> None:
    path = tmp_path / case.file
    if case.text is not None:
        path.write_bytes(case.text if isinstance(case.text, bytes) else case.text.encode())
    try:
        reports = list(load_config(path, case.environment, {}, {}, today=date(2026, 3, 4)).warnings)
    except ConfigError as error:
        reports = error.reports
    actual = "".join(render_text(report, str(tmp_path)) for report in reports)
    assert actual.replace(str(tmp_path), "<project>") == case.expected
