from __future__ import annotations

import json
from pathlib import Path

import pytest

from emulator.front.request_cf import PLACEHOLDERS, load_request_cf


def test_placeholders_and_what_the_request_says(tmp_path: Path) -> None:
    cf = json.loads(load_request_cf(str(tmp_path)).text("1.1", "gzip"))
    assert cf == {**PLACEHOLDERS, "httpProtocol": "HTTP/1.1", "clientAcceptEncoding": "gzip"}


def test_cf_json_replaces_values(tmp_path: Path) -> None:
    (tmp_path / "cf.json").write_text(
        '{"city": "臺北", "colo": "TPE", "httpProtocol": "HTTP/3"}', encoding="utf-8"
    )
    made = load_request_cf(str(tmp_path))
    cf = json.loads(made.text("1.1", ""))
    assert (cf["city"], cf["colo"], cf["httpProtocol"], cf["asn"]) == ("臺北", "TPE", "HTTP/3", 395747)
    assert made.colo == "TPE"


@pytest.mark.parametrize(
    ("text", "message"), [("{", r"cf\.json:1:2: not valid JSON"), ("[]", "a JSON object is expected")]
)
def test_a_bad_cf_json(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "cf.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        load_request_cf(str(tmp_path))


def test_each_text_is_made_once(tmp_path: Path) -> None:
    made = load_request_cf(str(tmp_path))
    assert made.text("1.1", "br") is made.text("1.1", "br")
