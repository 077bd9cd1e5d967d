"""URL and URLSearchParams in the realm."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.isolate.realm.host.url import parse

from .conftest import JSFailure

PARTS = "(u) => [u.protocol, u.username, u.password, u.host, u.hostname, u.port, u.pathname, u.search, u.hash, u.origin]"


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        (
            "http://user:pw@EXAMPLE.com:80/a/../b c?q=1&q=2#f",
            ["http:", "user", "pw", "example.com", "example.com", "", "/b%20c", "?q=1&q=2", "#f", "http://example.com"],
        ),
        (
            "https://[::1]:8443/?#",
            ["https:", "", "", "[::1]:8443", "[::1]", "8443", "/", "", "", "https://[::1]:8443"],
        ),
        ("http://u@h/?a?b#c#?d", ["http:", "u", "", "h", "h", "", "/", "?a?b", "#c#?d", "http://h"]),
        ("mailto:a@b.c?x", ["mailto:", "", "", "", "", "", "a@b.c", "?x", "", "null"]),
        ("web+demo:/.//not-a-host/", ["web+demo:", "", "", "", "", "", "//not-a-host/", "", "", "null"]),
        ("foo://h:1?q", ["foo:", "", "", "h:1", "h", "1", "", "?q", "", "null"]),
        ("blob:https://a.com/x", ["blob:", "", "", "", "", "", "https://a.com/x", "", "", "https://a.com"]),
        ("file:///C:/x", ["file:", "", "", "", "", "", "/C:/x", "", "", "null"]),
        (
            "http://例子.測試/é",
            ["http:", "", "", "xn--fsqu00a.xn--g6w251d", "xn--fsqu00a.xn--g6w251d", "", "/%C3%A9", "", "",
             "http://xn--fsqu00a.xn--g6w251d"],
        ),
    ],
)  # fmt: skip
def test_parts(run, url, parts):
    assert run(f"({PARTS})(new URL(url))", url=url) == parts


def test_relative(run):
    assert run("new URL('../x?y', 'http://a/b/c/d').href") == "http://a/b/x?y"


def test_invalid(run):
    with pytest.raises(JSFailure) as caught:
        run("new URL('nope')")
    assert (caught.value.name, caught.value.message) == ("TypeError", "Invalid URL string.")


def test_statics(run):
    script = (
        "[URL.canParse('nope'), URL.canParse('x', 'http://a'), URL.parse('nope'), URL.parse('http://a').href]"
    )
    assert run(script) == [False, True, None, "http://a/"]


@pytest.mark.parametrize(
    ("change", "href"),
    [
        ("u.protocol = 'ftp'", "ftp://u:p@h.com:81/p?q#f"),
        ("u.protocol = 'foo'", "https://u:p@h.com:81/p?q#f"),
        ("u.host = 'x.org:9'", "https://u:p@x.org:9/p?q#f"),
        ("u.hostname = ''", "https://u:p@h.com:81/p?q#f"),
        ("u.port = '443'", "https://u:p@h.com/p?q#f"),
        ("u.port = 99999", "https://u:p@h.com:81/p?q#f"),
        ("u.pathname = 'a b'", "https://u:p@h.com:81/a%20b?q#f"),
        ("u.search = ''", "https://u:p@h.com:81/p#f"),
        ("u.hash = 'é'", "https://u:p@h.com:81/p?q#%C3%A9"),
        ("u.username = ''; u.password = ''", "https://h.com:81/p?q#f"),
        ("u.href = 'http://new/'", "http://new/"),
        ("u.searchParams.append('k', 'a b&')", "https://u:p@h.com:81/p?q=&k=a+b%26#f"),
        ("u.searchParams.delete('q')", "https://u:p@h.com:81/p#f"),
    ],
)
def test_setters(run, change, href):
    assert run(f"const u = new URL('https://u:p@h.com:81/p?q#f'); {change}; return u.href") == href


def test_search_params_follow_the_url(run):
    script = """
      const u = new URL('http://a/?x=1'); const p = u.searchParams;
      u.search = '?y=2'; const first = p.toString();
      u.href = 'http://b/?z=3';
      return [first, p.toString(), u.searchParams === p]
    """
    assert run(script) == ["y=2", "z=3", True]


def test_search_params(run):
    script = """
      const p = new URLSearchParams('?a=1&b=2&a=3&c=%E4%BD%A0+%zz%ff');
      const before = [p.size, p.get('a'), p.getAll('a'), p.get('zz'), p.has('a', '3'), p.has('a', '9'), p.get('c')];
      p.set('a', 'x'); p.append('0', '~\\'()!*'); p.delete('b', 'other'); p.sort();
      return [...before, [...p], [...p.keys()], [...p.values()], `${p}`]
    """
    assert run(script) == [
        4, "1", ["1", "3"], None, True, False, "你 %zz\ufffd",
        [["0", "~'()!*"], ["a", "x"], ["b", "2"], ["c", "你 %zz\ufffd"]],
        ["0", "a", "b", "c"], ["~'()!*", "x", "2", "你 %zz\ufffd"],
        "0=%7E%27%28%29%21*&a=x&b=2&c=%E4%BD%A0+%25zz%EF%BF%BD",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("init", "text"),
    [
        ("undefined", ""),
        ("'?a=b'", "a=b"),
        ("[['a', 1], ['b', null]]", "a=1&b=null"),
        ("new Map([['k', 'v']])", "k=v"),
        ("{a: 1, b: 'x y'}", "a=1&b=x+y"),
        ("(function* () { yield ['g', 'h'] })()", "g=h"),
        ("new URLSearchParams('q=1')", "q=1"),
        ("null", "null="),
    ],
)
def test_search_params_init(run, init, text):
    assert run(f"new URLSearchParams({init}).toString()") == text


def test_search_params_refuses_strings_as_pairs(run):
    for init, error in (
        ("['ab']", "not of type 'Sequence'"),
        ("[['a']]", "Invalid URL search params sequence"),
    ):
        with pytest.raises(JSFailure, match=error):
            run(f"new URLSearchParams({init})")


def test_wrong_receiver(run):
    for script in (
        "URL.prototype.href",
        "URL.prototype.toString.call({})",
        "URLSearchParams.prototype.get.call({}, 'a')",
    ):
        with pytest.raises(JSFailure, match="Illegal invocation"):
            run(script)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=st.lists(st.tuples(TEXT, TEXT), max_size=4))
def test_round_trip(run, pairs):
    text = run("new URLSearchParams(JSON.parse(pairs)).toString()", pairs=__import__("json").dumps(pairs))
    assert parse_qsl(text, keep_blank_values=True, max_num_fields=None) == pairs
    back = run("[...new URLSearchParams(text)]", text=urlencode(pairs))
    assert [tuple(pair) for pair in back] == pairs


def test_urls_of_one_text_are_apart(run):
    source = """
    const make = () => new URL('http://a.example/p?q=1#f');
    const one = make(), two = make();
    one.pathname = '/other';
    one.searchParams.append('r', '2');
    two.hash = '';
    const three = make();
    return [one.href, two.href, three.href, three.pathname, make().search, make() === make()];"""
    assert run(source) == [
        "http://a.example/other?q=1&r=2#f",
        "http://a.example/p?q=1",
        "http://a.example/p?q=1#f",
        "/p",
        "?q=1",
        False,
    ]


def test_more_urls_than_are_remembered(run):
    source = """
    const bad = [];
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 500; i++) {
        const url = new URL(`http://h${i}.example/${i}`);
        if (url.pathname !== `/${i}` || url.host !== `h${i}.example`) bad.push(i);
      }
    }
    return bad;"""
    assert run(source) == []


def test_what_is_normal_is_what_the_parser_gives(run):
    """Many are taken as they are: none of these may be, or they are the same."""
    urls = [
        *(f"http://{host}/" for host in ("127.0.0.1", "1.2.3", "01.2.3.4", "256.1.1.1", "1.2.3.4.", "a.0x1", "09.a")),
        *(f"https://{host}/" for host in ("XN--A", "xn--fsqu00a.b", "3g.example.com", "a..b", "a_b", "h:443", "h:08")),
        *(f"http://h{path}" for path in ("/.", "/a/..", "/a/.b", "/%2e", "/a%2E/b", "/a%/b", "?/..", "/a?/..#", "/[a]")),
        "http://h/" + "a/" * 3000 + "..",
    ]  # fmt: skip
    assert run("urls.split(' ').map((u) => URL.parse(u)?.href ?? null)", urls=" ".join(urls)) == [
        parse(url, None) for url in urls
    ]
