"""Dates as en-US writes them. Expected texts are workerd's, 2026-11-17."""

from __future__ import annotations

import pytest

from .conftest import JSFailure

WINTER = "new Date(Date.UTC(2024, 0, 5, 15, 4, 9, 7))"
SUMMER = "new Date(Date.UTC(2024, 6, 15, 0, 30))"
DATE, TIME = "1/5/2024", "3:04:09 PM"


def texts(run, options, date=WINTER):
    """What toLocaleString, toLocaleDateString and toLocaleTimeString give; an error is its text."""
    script = f"""
      const date = {date}, options = {options};
      return ["toLocaleString", "toLocaleDateString", "toLocaleTimeString"].map((name) => {{
        try {{ return date[name]("en-US", options) }} catch (error) {{ return String(error) }}
      }})
    """
    return run(script)


def test_by_default(run):
    assert texts(run, "undefined") == [f"{DATE}, {TIME}", DATE, TIME]
    assert texts(run, "{}", SUMMER) == ["7/15/2024, 12:30:00 AM", "7/15/2024", "12:30:00 AM"]
    assert texts(run, "undefined", "new Date(NaN)") == ["Invalid Date"] * 3
    assert run("new Date(Date.UTC(-5, 0, 1)).toLocaleDateString()") == "1/1/6"
    assert run("Date.prototype.toLocaleString.length") == 0


@pytest.mark.parametrize(
    ("options", "date"),
    [
        ("weekday: 'long', year: 'numeric', month: 'long', day: 'numeric'", "Friday, January 5, 2024"),
        ("weekday: 'short', year: 'numeric', month: 'short', day: 'numeric'", "Fri, Jan 5, 2024"),
        ("year: 'numeric', month: '2-digit', day: '2-digit'", "01/05/2024"),
        ("year: '2-digit', month: 'numeric', day: 'numeric'", "1/5/24"),
        ("month: 'long', year: 'numeric'", "January 2024"),
        ("month: 'short', day: 'numeric'", "Jan 5"),
        ("month: '2-digit', year: 'numeric'", "01/2024"),
        ("weekday: 'long'", "Friday"),
        ("month: 'narrow'", "J"),
        ("year: 'numeric'", "2024"),
        ("day: '2-digit'", "05"),
    ],
)
def test_fields_of_the_date(run, options, date):
    both, only_date, with_time = texts(run, f"{{ {options} }}")
    assert [both, only_date] == [date, date]
    joined = " at " if "'long'" in options and "month" in options else " " if date == "Friday" else ", "
    assert with_time == f"{date}{joined}{TIME}"


@pytest.mark.parametrize(
    ("options", "time"),
    [
        ("hour: 'numeric'", "3 PM"),
        ("hour: 'numeric', minute: '2-digit'", "3:04 PM"),
        ("hour: '2-digit', minute: '2-digit', second: '2-digit'", "03:04:09 PM"),
        ("hour: '2-digit', minute: '2-digit', hour12: false", "15:04"),
        ("minute: '2-digit', second: '2-digit'", "04:09"),
        ("minute: '2-digit'", "4"),
        ("fractionalSecondDigits: 3", "007"),
    ],
)
def test_fields_of_the_time(run, options, time):
    assert texts(run, f"{{ {options} }}") == [time, f"{DATE}, {time}", time]


@pytest.mark.parametrize("cycle", ["hour12: false", "hourCycle: 'h23'", "hourCycle: 'h24'"])
def test_midnight(run, cycle):
    assert texts(run, f"{{ {cycle} }}", SUMMER) == ["7/15/2024, 00:30:00", "7/15/2024", "00:30:00"]


def test_styles(run):
    for style, text in {
        "full": "Friday, January 5, 2024",
        "long": "January 5, 2024",
        "medium": "Jan 5, 2024",
        "short": "1/5/24",
    }.items():
        refused = "TypeError: Invalid option : dateStyle"
        assert texts(run, f"{{ dateStyle: '{style}' }}") == [text, text, refused]
        joined = " at " if style in ("full", "long") else ", "
        both = texts(run, f"{{ dateStyle: '{style}', timeStyle: 'short' }}")
        assert both[0] == f"{text}{joined}3:04 PM"
    refused = "TypeError: Invalid option : timeStyle"
    times = {
        "short": "3:04 PM",
        "medium": TIME,
        "long": f"{TIME} UTC",
        "full": f"{TIME} Coordinated Universal Time",
    }
    for style, text in times.items():
        assert texts(run, f"{{ timeStyle: '{style}' }}") == [text, refused, text]
    assert texts(run, "{ dateStyle: 'short', year: 'numeric' }") == ["TypeError: Invalid option : option"] * 3


@pytest.mark.parametrize(
    ("zone", "date", "text", "name"),
    [
        ("America/New_York", WINTER, "1/5/2024, 10:04:09 AM", "EST"),
        ("America/New_York", SUMMER, "7/14/2024, 8:30:00 PM", "EDT"),
        ("Asia/Shanghai", WINTER, "1/5/2024, 11:04:09 PM", "GMT+8"),
        ("asia/shanghai", WINTER, "1/5/2024, 11:04:09 PM", "GMT+8"),
        ("Asia/Kolkata", WINTER, "1/5/2024, 8:34:09 PM", "GMT+5:30"),
        ("Europe/London", SUMMER, "7/15/2024, 1:30:00 AM", "GMT+1"),
        ("+08:00", WINTER, "1/5/2024, 11:04:09 PM", "GMT+8"),
        ("UTC", WINTER, "1/5/2024, 3:04:09 PM", "UTC"),
    ],
)
def test_time_zones(run, zone, date, text, name):
    assert texts(run, f"{{ timeZone: '{zone}' }}", date)[0] == text
    assert texts(run, f"{{ timeZone: '{zone}', timeZoneName: 'short' }}", date)[0] == f"{text} {name}"


@pytest.mark.parametrize(
    "zone", ["Nope/Zone", "", "../etc/passwd", "/etc/passwd", "Asia", "x" * 100000, "\\0"]
)
def test_no_time_zone(run, zone):
    with pytest.raises(JSFailure, match="RangeError: Invalid time zone specified"):
        run(f"{WINTER}.toLocaleString('en-US', {{ timeZone: '{zone}' }})")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            "'en-US', { month: 'foo' }",
            "Value foo out of range for Date.prototype.toLocaleString options property month",
        ),
        ("'en-US', { hourCycle: 'h99' }", "RangeError: Value h99 out of range"),
        ("'en-US', null", "TypeError"),
        ("'not a language'", "RangeError: Invalid language tag: not a language"),
        ("null", "TypeError"),
    ],
)
def test_wrong_arguments(run, arguments, error):
    with pytest.raises(JSFailure, match=error):
        run(f"{WINTER}.toLocaleString({arguments})")
    with pytest.raises(JSFailure, match="TypeError"):
        run("Date.prototype.toLocaleString.call({})")


@pytest.mark.parametrize(
    ("locale", "both", "evening", "padded"),
    [
        ("zh-CN", "2024/1/5 03:04:09", "2024/11/25 15:04:09", "2024/01/05"),
        ("ja-JP", "2024/1/5 3:04:09", "2024/11/25 15:04:09", "2024/01/05"),
        ("sv-SE", "2024-01-05 03:04:09", "2024-11-25 15:04:09", "2024-01-05"),
        ("en-CA", "2024-01-05, 3:04:09 a.m.", "2024-11-25, 3:04:09 p.m.", "2024-01-05"),
        ("en-GB", "05/01/2024, 03:04:09", "25/11/2024, 15:04:09", "05/01/2024"),
        ("fr-FR", "05/01/2024 03:04:09", "25/11/2024 15:04:09", "05/01/2024"),
        ("de-DE", "5.1.2024, 03:04:09", "25.11.2024, 15:04:09", "05.01.2024"),
        ("es-ES", "5/1/2024, 3:04:09", "25/11/2024, 15:04:09", "05/01/2024"),
        ("en", "1/5/2024, 3:04:09 AM", "11/25/2024, 3:04:09 PM", "01/05/2024"),
    ],
)
def test_numbers_of_other_locales(run, locale, both, evening, padded):
    script = f"""
      const early = new Date(Date.UTC(2024, 0, 5, 3, 4, 9)), late = new Date(Date.UTC(2024, 10, 25, 15, 4, 9));
      return [early.toLocaleString("{locale}"), late.toLocaleString(["{locale}"]), early.toLocaleDateString("{locale}"),
              early.toLocaleTimeString("{locale}"),
              early.toLocaleDateString("{locale}", {{ year: "numeric", month: "2-digit", day: "2-digit" }})]
    """
    date, time = both.replace(",", "").split(" ", 1)
    assert run(script) == [both, evening, date, time, padded]
