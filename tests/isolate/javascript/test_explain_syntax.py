"""Syntax errors of modules: V8's words, the line, the column."""

from pathlib import Path

import pytest
from explaining import Explaining

from emulator.isolate.realm.engine import JSError


@pytest.fixture(scope="module")
def explaining(tmp_path_factory: pytest.TempPathFactory) -> Explaining:
    return Explaining(tmp_path_factory.mktemp("explaining"))


@pytest.mark.parametrize(
    ("source", "exception", "place"),
    [
        ("let a = 1;\nlet a = 2;", "Identifier 'a' has already been declared", (2, 5)),
        ("f(() => {\n  return new Response('x';\n});", "missing ) after argument list", (2, 26)),
        ("const x = ;", "Unexpected token ';'", (1, 11)),
        ("a b", "Unexpected identifier 'b'", (1, 3)),
        ("let s = 'abc", "Invalid or unexpected token", (1, 9)),
        ('const s = "多行\n"', "Invalid or unexpected token", (1, 11)),
        ("const 名 = 1 2", "Unexpected number", (1, 13)),
        ("x = `abc", "Unterminated template literal", (1, 5)),
        ("return 1", "Illegal return statement", (1, 1)),
        ("export default {\n  f() {\n    return 1;\n", "Unexpected end of input", (3, 14)),
        ("function f() { await x }", "Unexpected reserved word", (1, 16)),
        ("const a", "Missing initializer in const declaration", (1, 8)),
        ("let x = {a: 1 b: 2}", "Unexpected identifier 'b'", (1, 15)),
        ("class { }", "Unexpected token '{'", (1, 7)),
        ("let yield = 1", "Unexpected strict mode reserved word", (1, 5)),
        ("try { x } catch (e) { y } z z", "Unexpected identifier 'z'", (1, 29)),
    ],
)
def test_as_v8_says(explaining: Explaining, source: str, exception: str, place: tuple[int, int]) -> None:
    path: Path = explaining.root / "module.js"
    path.write_text(source, "utf-8")
    with pytest.raises(JSError) as caught:
        explaining.engine.context.eval(source, str(path), module=True)
    report = explaining.explainer.syntax_report(caught.value, str(path))
    assert report.code == "js-syntax-error"
    assert report.exception == f"SyntaxError: {exception}"
    assert report.where is not None
    assert (report.where.file, report.where.line, report.where.column) == (str(path), *place)
    assert report.why


def test_a_file_that_is_gone(explaining: Explaining) -> None:
    with pytest.raises(JSError) as caught:
        explaining.engine.context.eval("a b", "/gone/away.js", module=True)
    report = explaining.explainer.syntax_report(caught.value)
    assert (report.exception, report.where.line) == ("SyntaxError: expecting ';'", 1)  # type: ignore[union-attr]
