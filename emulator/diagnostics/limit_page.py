"""The platform's pages of errors 1019, 1027, 1101 and 1102, with the report of what happened in them.

Titles, headings and class names are the platform's, so that what looks for them finds them here, too.
https://developers.cloudflare.com/workers/observability/errors/
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Final, NamedTuple

from emulator.diagnostics.page import STYLE, parts
from emulator.diagnostics.render import printable
from emulator.diagnostics.report import Report


class _Words(NamedTuple):
    title: str
    heading: str
    subheading: str
    text: str = ""


_WORDS: Final[Mapping[int, _Words]] = {
    1019: _Words("Compute server error", "Error", "Compute server error"),
    1027: _Words(
        "This website has been temporarily rate limited",
        "Please check back later",
        "Error 1027",
        "You cannot access this site because the owner has reached their plan limits. Check back later once "
        "traffic has gone down.",
    ),
    1101: _Words("Worker threw exception", "Error", "Worker threw exception"),
    1102: _Words("Worker exceeded resource limits", "Error", "Worker exceeded resource limits"),
}

_LIMIT_STYLE: Final = """
main { border-top-width: 1px; }
#cf-error-details h1 { font-size: 2.2rem; font-weight: 400; line-height: 1.2; margin: 0 0 .2rem; }
#cf-error-details h2.cf-subheadline { font-size: 1.5rem; font-weight: 300; letter-spacing: 0; margin: 0;
  text-transform: none; }
.cf-ray { color: var(--soft); font-size: .85rem; overflow-wrap: anywhere; }
.told { margin-top: 1.4rem; padding-top: 1.2rem; border-top: 1px solid var(--line); }
.told > h2:first-child { font-size: 1rem; letter-spacing: 0; text-transform: none; margin: 0 0 .5rem; }
.told small { font-weight: 400; }
.told h3 { margin: 0 0 .3rem; font-size: 1.15rem; overflow-wrap: anywhere; }
"""

_TOLD: Final = "<h2>What happened <small>&middot; told by cfw-emu: production's page ends above</small></h2>"


def limit_page(report: Report, root: str, number: int, host: str, ray: str, date: str) -> str:
    """The page of error ``number`` (1019, 1027, 1101 or 1102), in UTF-8 and without external resources.

    ``host`` and ``ray`` may hold anything; ``date`` is shown as it is.
    """
    words = _WORDS[number]
    report = printable(report)
    title = escape(f"{words.title} | {host} | Cloudflare")
    text = f"\n<p>{escape(words.text)}</p>" if words.text else ""
    return (
        '<!doctype html>\n<html lang="en-US">\n<head>\n'
        f'<title>{title}</title>\n<meta charset="UTF-8">\n'
        '<meta name="robots" content="noindex, nofollow">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{STYLE}{_LIMIT_STYLE}</style>\n</head>\n<body>\n"
        '<main id="cf-wrapper">\n<div id="cf-error-details" class="cf-error-details-wrapper">\n'
        f"{_head(words, number, ray, date)}{text}\n</div>\n"
        f'<section class="told">\n{_TOLD}\n<h3>{escape(report.what)}</h3>\n'
        + "\n".join(parts(report, root))
        + "\n</section>\n</main>\n</body>\n</html>\n"
    )


def _head(words: _Words, number: int, ray: str, date: str) -> str:
    heading = escape(words.heading)
    if str(number) not in words.subheading:
        heading = f'<span class="cf-error-type">{heading}</span> <span class="cf-error-code">{number}</span>'
    return (
        f"<h1>{heading}</h1>\n"
        f'<p class="cf-ray ray-id">Ray ID: {escape(ray)} &bull; {escape(date)}</p>\n'
        f'<h2 class="cf-subheadline">{escape(words.subheading)}</h2>'
    )
