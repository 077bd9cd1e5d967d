"""Known mistakes in wrangler files, ``.dev.vars`` and ``.env`` (texts of ``known.KNOWN``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from emulator.diagnostics.mistake import Known

CONFIG_MISTAKES: Final[Mapping[str, Known]] = {
    "config-syntax": Known(
        "{file} is not valid {language}: {message}",
        "",
        "{suggestion}",
    ),
    "config-not-a-table": Known(
        "{file} holds {actual}, not an object",
        "A wrangler file is one object of keys.",
        'Start it with {{ "name": ... and end it with }}',
    ),
    "config-duplicate-key": Known(
        '"{key}" is given twice',
        "In JSON the last one wins, silently.",
        "Remove one of the two; the other is on line {first_line}.",
        "warning",
    ),
    "config-name-twice": Known(
        'The name "{name}" is given twice',
        "Variables, secrets and bindings are all members of env, so each needs a name of its own. {first} "
        "has this one, and wrangler refuses the file.",
        "Give one of them another name, here and in the code.",
    ),
    "config-wrong-type": Known(
        'Expected "{key}" to be {expected}, but got {value}',
        "{reason}",
        "{fix}",
    ),
    "config-rule-type": Known(
        '"{key}" {got}: a rule needs a type of module',
        "The types are {types}.",
        "{line}",
    ),
    "config-bad-name": Known(
        'Expected "{key}" to be alphanumeric and lowercase with dashes only, but got {value}',
        "The name becomes part of the Worker's host name.",
        "{fix}",
    ),
    "config-long-name": Known(
        'The name "{name}" has {length} characters; a host name allows 63',
        "http://<name>.localhost and <name>.<account>.workers.dev cannot hold more.",
        "Choose a shorter name.",
        "warning",
    ),
    "config-missing-name": Known(
        '{file} has no "name"; this Worker is called "{name}" after its directory',
        "`wrangler deploy` needs a name.",
        "Add this line:\n\n{line}",
        "warning",
    ),
    "config-bad-date": Known(
        '"{key}" should be a date (YYYY-MM-DD), but got {value}',
        "{reason}",
        "{fix}",
    ),
    "config-future-date": Known(
        '"{key}" {value} is in the future',
        "It selects the platform's behaviour as of a day, which cannot be later than today ({today}, UTC).",
        "{fix}",
    ),
    "config-missing-date": Known(
        "No compatibility_date in {file}: using today's, {today}",
        "Without a date the platform's behaviour changes from day to day.",
        "Add this line:\n\n{line}",
        "warning",
    ),
    "config-unknown-key": Known(
        'Unexpected key "{key}"',
        "Wrangler does not know it, so it has no effect.",
        "{suggestion}",
        "warning",
    ),
    "config-removed-key": Known(
        '"{key}" is no longer supported',
        "{reason}",
        "Remove it.{instead}",
        "warning",
    ),
    "config-unknown-environment": Known(
        'No environment named "{environment}" in {file}',
        "{existing}",
        "Use --env with one of these names, or add the section:\n\n{section}",
    ),
    "config-not-inherited": Known(
        '"{key}" exists at the top level, but not on "env.{environment}"',
        'This is not what you probably want, since "{field}" is not inherited by environments.',
        'Please add "{key}" to "env.{environment}".',
        "warning",
    ),
    "config-not-emulated": Known(
        "not emulated yet: {keys}",
        "These keys are valid, but this release does nothing with them.",
        "Nothing to mend; code that needs them will not find them on `env`.",
        "warning",
    ),
    "config-bad-var": Known(
        '--var "{value}" is not KEY:VALUE',
        "Everything before the first colon is the name of the variable.",
        "cfw-emu serve --var API_HOST:example.com",
    ),
    "dev-vars-bad-line": Known(
        "Line {line} of {file} is not a complete KEY=VALUE",
        "The file is read as dotenv reads it: lines that are no assignment are skipped.",
        "{fix}",
        "warning",
    ),
    "secrets-missing": Known(
        "Required secrets are not set: {names}",
        "`secrets.required` in the wrangler file names them.",
        "Add them to .dev.vars:\n\n{lines}",
        "warning",
    ),
}
