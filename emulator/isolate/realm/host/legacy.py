"""Where the Encoding Standard's multi-byte decoders differ from Python's codecs.

https://encoding.spec.whatwg.org/#legacy-multi-byte-chinese-(simplified)-encodings and following.
Differences in what a sequence means are translated after decoding; sequences that Python refuses
are mended, or replaced as the standard says, by an error handler.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import Final

REPLACE: Final = "cfw-emu-replace"
"""Error handler: mend, else U+FFFD."""
STRICT: Final = "cfw-emu-strict"
"""Error handler: mend, else raise."""

_MICROSOFT: Final = {0x301C: 0xFF5E, 0x2016: 0x2225, 0x2212: 0xFF0D, 0xA2: 0xFFE0, 0xA3: 0xFFE1, 0xAC: 0xFFE2}
# Code points that GB 18030-2022 assigns where Python's older table has private ones.
_GB_2022: Final = {
    0xE5E5: 0x3000, 0xE78D: 0xFE10, 0xE78E: 0xFE12, 0xE78F: 0xFE11, 0xE790: 0xFE13, 0xE791: 0xFE14,
    0xE792: 0xFE15, 0xE793: 0xFE16, 0xE794: 0xFE17, 0xE795: 0xFE18, 0xE796: 0xFE19, 0xE7C7: 0x1E3F,
    0xE81E: 0x9FB4, 0xE826: 0x9FB5, 0xE82B: 0x9FB6, 0xE82C: 0x9FB7, 0xE832: 0x9FB8, 0xE843: 0x9FB9,
    0xE854: 0x9FBA, 0xE864: 0x9FBB,
}  # fmt: skip

# The standard's Big5 index follows code page 950 where HKSCS has look-alikes.
_BIG5: Final = {
    0x2022: 0x2027, 0xFF64: 0xFE51, 0x203E: 0xAF, 0x223C: 0xFF5E, 0x2641: 0x2295, 0x2609: 0x2299,
    0xA5: 0xFFE5, 0xA2: 0xFFE0, 0xA3: 0xFFE1, 0xFFED: 0x2593,
}  # fmt: skip

TRANSLATIONS: Final = {
    "big5": _BIG5,
    "gbk": _GB_2022,
    "gb18030": _GB_2022,
    "euc-jp": _MICROSOFT,
    "iso-2022-jp": _MICROSOFT,
    # Single bytes that code page 932 has and the standard's Shift_JIS has not.
    "shift_jis": dict.fromkeys((0xA0, 0xF8F0, 0xF8F1, 0xF8F2, 0xF8F3), 0xFFFD),
}
"""Code points to change in what Python's codec gave, by encoding."""


def _mend(error: UnicodeDecodeError) -> tuple[str, int] | None:
    data, start = error.object, error.start
    if error.encoding == "gb18030" and data[start] == 0x80:
        return "\u20ac", start + 1
    if error.encoding == "big5hkscs" and data[start : start + 2] == b"\xa3\xe1":
        return "\u20ac", start + 2
    if error.encoding in ("euc_jp", "iso2022_jp") and start + 1 < len(data):
        low = 0xA1 if error.encoding == "euc_jp" else 0x21
        row, cell = data[start] - low, data[start + 1] - low
        if 0 <= row < 94 and 0 <= cell < 94 and (text := _jis_row(row, cell)):
            return text, start + 2
    return None


def _jis_row(row: int, cell: int) -> str:
    """The character of code page 932 (JIS X 0208 with NEC's and IBM's) at a row and cell from 0."""
    lead = row // 2 + (0x81 if row < 62 else 0xC1)
    trail = cell + 0x9F if row % 2 else cell + (0x40 if cell < 63 else 0x41)
    try:
        return bytes((lead, trail)).decode("cp932")
    except UnicodeDecodeError:
        return ""


def _end_of_error(error: UnicodeDecodeError) -> int:
    """A lead byte and a trail that is no trail are one error, unless the trail is ASCII."""
    data, start = error.object, error.start
    lead = data[start]
    if error.encoding == "gb18030" and _is_four_bytes(data, start):
        return start + 4
    if start + 1 >= len(data) or data[start + 1] < 0x80 or error.end > start + 1:
        return error.end
    if error.encoding == "cp932":
        is_lead = 0x81 <= lead <= 0x9F or 0xE0 <= lead <= 0xFC
    elif error.encoding == "euc_jp":
        is_lead = lead in (0x8E, 0x8F) or 0xA1 <= lead <= 0xFE
    else:
        is_lead = error.encoding in ("gb18030", "big5hkscs", "cp949") and 0x81 <= lead <= 0xFE
    return start + 2 if is_lead else error.end


def _is_four_bytes(data: bytes, start: int) -> bool:
    """Whether the form, if not the value, is that of a four-byte sequence of GB 18030."""
    part = data[start : start + 4]
    return len(part) == 4 and all(
        (0x81 <= byte <= 0xFE) if at % 2 == 0 else (0x30 <= byte <= 0x39) for at, byte in enumerate(part)
    )


def _unfinished(error: UnicodeDecodeError) -> int:
    """The end of a sequence that the data ends in: after its first byte, if another cannot belong to it."""
    data, start = error.object, error.start
    if error.encoding == "gb18030" and len(data) - start == 3 and not 0x81 <= data[start + 2] <= 0xFE:
        return start + 1
    if error.encoding == "euc_jp" and len(data) - start == 2 and data[start + 1] < 0x80:
        return start + 1
    return error.end


def _handler(strict: bool) -> Callable[[UnicodeError], tuple[str, int]]:
    def handle(error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeDecodeError):
            raise error
        mended = _mend(error)
        if mended is None and strict:
            raise error
        if error.reason != "incomplete multibyte sequence":
            return mended or ("\ufffd", _end_of_error(error))
        # Python's codecs stop here, wherever they are told to go on.
        text, end = mended or ("\ufffd", _unfinished(error))
        rest = error.object[end:].decode(error.encoding, STRICT if strict else REPLACE)
        return text + rest, len(error.object)

    return handle


codecs.register_error(REPLACE, _handler(strict=False))
codecs.register_error(STRICT, _handler(strict=True))
