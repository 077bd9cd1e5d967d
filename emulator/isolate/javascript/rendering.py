"""Expressions as V8 names them in messages: ``a.b(...).c``, ``(intermediate value).d``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .source import text_of

if TYPE_CHECKING:
    from tree_sitter import Node

UNNAMED: Final = "(intermediate value)"
_DEEPEST: Final = 200
_MEMBERS: Final = ("pair", "method_definition", "shorthand_property_identifier")
_LITERALS: Final = frozenset(("identifier", "number", "regex", "true", "false", "null", "undefined", "this"))


def render(node: Node | None, depth: int = 0) -> str:
    """What V8's CallPrinter prints for an expression."""
    if node is None or depth > _DEEPEST:
        return UNNAMED
    kind, depth = node.type, depth + 1
    if kind in _LITERALS:
        return text_of(node)
    if kind == "parenthesized_expression":
        return render(_inner(node), depth)
    if kind == "string":
        return f'"{string_value(node)}"'
    if kind == "template_string":
        return UNNAMED if _substitutions(node) else f'"{text_of(node)[1:-1]}"'
    if kind in ("member_expression", "subscript_expression"):
        return _property(node, depth)
    if kind == "call_expression":
        callee = node.child_by_field_name("function")
        return "ImportCall(...)" if callee and callee.type == "import" else f"{render(callee, depth)}(...)"
    return _compound(node, depth)


def _property(node: Node, depth: int) -> str:
    owner = render(node.child_by_field_name("object"), depth)
    mark = "?." if any(child.type == "optional_chain" for child in node.children) else ""
    name = node.child_by_field_name("property")
    if name is not None:
        return f"{owner}{mark or '.'}{text_of(name)}"
    index = node.child_by_field_name("index")
    key = constant_key(index)
    if key is not None and index is not None and index.type != "number":
        return f"{owner}{mark or '.'}{key}"
    return f"{owner}{mark}[{render(index, depth)}]"


def _compound(node: Node, depth: int) -> str:
    kind = node.type
    if kind in ("binary_expression", "sequence_expression"):
        left, operator, right = _operands(node)
        return f"({render(left, depth)} {operator} {render(right, depth)})"
    if kind == "unary_expression":
        operator = text_of(node.child_by_field_name("operator"))
        space = " " if operator.isalpha() else ""
        return f"({operator}{space}{render(node.child_by_field_name('argument'), depth)})"
    if kind in ("assignment_expression", "augmented_assignment_expression"):
        return render(node.child_by_field_name("left"), depth)
    if kind == "ternary_expression":
        return UNNAMED * 3
    if kind == "array":
        items = [child for child in node.named_children if child.type != "comment"]
        return f"[{','.join(render(item, depth) for item in items)}]"
    if kind == "object":
        return "{" + UNNAMED * sum(child.type in _MEMBERS for child in node.named_children) + "}"
    return UNNAMED


def _operands(node: Node) -> tuple[Node | None, str, Node | None]:
    if node.type == "binary_expression":
        operator = text_of(node.child_by_field_name("operator"))
        return node.child_by_field_name("left"), operator, node.child_by_field_name("right")
    return node.named_children[0], ",", node.named_children[-1]


def constant_key(node: Node | None) -> str | None:
    """The value of a property key that is written out: a string, a number, a plain template."""
    if node is None:
        return None
    if node.type == "string":
        return string_value(node)
    if node.type == "template_string" and not _substitutions(node):
        return text_of(node)[1:-1]
    return text_of(node) if node.type in ("number", "property_identifier") else None


def string_value(node: Node) -> str:
    """The text between the quotes of a string."""
    return text_of(node)[1:-1]


def strip_parentheses(node: Node | None) -> Node | None:
    """The expression within any parentheses."""
    while node is not None and node.type == "parenthesized_expression":
        node = _inner(node)
    return node


def _inner(node: Node) -> Node | None:
    return next((child for child in node.named_children if child.type != "comment"), None)


def _substitutions(node: Node) -> bool:
    return any(child.type == "template_substitution" for child in node.children)
