"""Filter text → tree, by recursive descent (RFC 7644 §3.4.2.2, Figure 1, errata 4670, 4690, 7319).

More is read than the grammar allows where clients send it and nothing else could be meant:
any blanks around tokens, none before a quote, ``True``, ``emails[type eq "work"].value eq "x"``.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import NoReturn, TypeVar, get_args

from scim_provider.protocol.errors import InvalidFilter, InvalidPath
from scim_provider.protocol.path import AttributePath
from scim_provider.protocol.schema import ATTRIBUTE_NAME
from scim_provider.protocol.values import is_storable, quoted

from .tree import And, Comparison, Filter, JsonLiteral, Not, Operator, Or, Present, ValuePath

Tree = Filter[AttributePath]
Node = TypeVar("Node", And[AttributePath], Or[AttributePath])

MAX_LENGTH = 128 * 1024
MAX_DEPTH = 64
MAX_TERMS = 256
MAX_DIGITS = 10_000
_CACHED_LENGTH = 512

_BLANK = re.compile(r"[ \t\r\n]*")
_WORD = re.compile(r"[^ \t\r\n()\[\]\"]+")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?P<fraction>\.[0-9]+)?(?P<exponent>[eE][+-]?[0-9]+)?")
_KEYWORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_OPERATORS: dict[str, Operator] = {operator: operator for operator in get_args(Operator)}


#: The look-up of one text, which is nearly all that is ever asked.
_LOOK_UP = re.compile(
    r'(?P<path>[^ \t\r\n()\[\]"]+) eq "(?P<text>[^"\\\x00-\x1f\ud800-\udfff]*)"'
).fullmatch
_path = lru_cache(maxsize=512)(AttributePath.parse)


def parse_filter(text: str) -> Tree:
    """The tree of a filter. Raises InvalidFilter, with the column, for anything malformed."""
    return _parse_cached(text) if len(text) <= _CACHED_LENGTH else _parse(text)


def parse_value_path(text: str) -> tuple[AttributePath, Tree | None, str | None]:
    """A PATCH path: ``attr``, ``attr.sub``, ``attr[filter]``, ``attr[filter].sub`` (§3.5.2).

    The third item is the sub-attribute after the brackets; that of ``attr.sub`` is in the path.
    Raises InvalidPath for a malformed path and InvalidFilter for what is wrong in the brackets.
    """
    opening = text.find("[")
    path = AttributePath.parse(text if opening < 0 else text[:opening])
    if path is None or (opening >= 0 and path.sub):
        raise InvalidPath(
            f"{quoted(text)} is not a path. Send one such as 'userName', 'name.givenName' "
            "or 'emails[type eq \"work\"].value'."
        )
    if opening < 0:
        return path, None, None
    parser = _Parser(text, opening + 1)
    if parser.at_end():
        raise InvalidPath(f"{quoted(text)} is not a path: its '[' is not closed.")
    tree = parser.value_filter()
    return path, tree, _sub_attribute(text, parser.at)


def _sub_attribute(text: str, at: int) -> str | None:
    """The name after the brackets of a PATCH path, if there is one."""
    rest = text[at:]
    if not rest:
        return None
    if rest.startswith(".") and ATTRIBUTE_NAME.match(rest[1:]):
        return rest[1:]
    raise InvalidPath(
        f"At column {at + 1}: after ']' only a sub-attribute can follow, such as '.value', "
        f"not {quoted(rest)}."
    )


def _parse(text: str) -> Tree:
    if len(text) > MAX_LENGTH:
        raise InvalidFilter(f"The filter is longer than {MAX_LENGTH} characters. Shorten it.")
    look_up = _LOOK_UP(text)
    if look_up and (path := _path(look_up["path"])):
        return Comparison(path, "eq", look_up["text"])
    return _Parser(text).whole()


_parse_cached = lru_cache(maxsize=512)(_parse)


class _Parser:
    """One pass over a text; ``at`` is where it stands."""

    def __init__(self, text: str, at: int = 0) -> None:
        self.text = text
        self.at = at
        self.depth = 0
        self.terms = 0
        self.in_value = False

    # -- grammar ---------------------------------------------------------------------------

    def whole(self) -> Tree:
        tree = self.disjunction()
        if not self.at_end():
            self.fail("'and', 'or' or the end of the filter")
        return tree

    def disjunction(self) -> Tree:
        return self.chain("or", self.conjunction, Or)

    def conjunction(self) -> Tree:
        return self.chain("and", self.term, And)

    def chain(self, word: str, operand: Callable[[], Tree], node: type[Node]) -> Tree:
        terms = [operand()]
        while self.take_word(word):
            terms.append(operand())
        return terms[0] if len(terms) == 1 else node(tuple(terms))

    def term(self) -> Tree:
        if self.take("("):
            return self.group()
        start, word = self.word("an attribute, 'not (' or '('")
        if word.lower() == "not" and self.take("("):
            return Not(self.group())
        path = AttributePath.parse(word)
        if path is None:
            self.fail("an attribute such as 'userName' or 'name.givenName'", start)
        if self.text.startswith("[", self.at):
            return self.value_path(path)
        return self.expression(path)

    def group(self) -> Tree:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise InvalidFilter(
                f"The filter is nested more than {MAX_DEPTH} levels deep. Simplify it."
            )
        tree = self.disjunction()
        self.expect(")", "'and', 'or' or ')'")
        self.depth -= 1
        return tree

    def value_path(self, path: AttributePath) -> Tree:
        if self.in_value:  # Erratum 4690.
            self.fail("an operator, because brackets cannot be nested")
        self.at += 1
        tree = self.value_filter()
        if self.text.startswith(".", self.at):
            tree = self.trailing_comparison(tree)
        return ValuePath(path, tree)

    def value_filter(self) -> Tree:
        """What is in brackets, the closing one included."""
        self.in_value = True
        tree = self.disjunction()
        self.expect("]", "'and', 'or' or ']'")
        self.in_value = False
        return tree

    def trailing_comparison(self, tree: Tree) -> Tree:
        """Entra's ``emails[type eq "work"].value eq "x"``: one more condition on the value."""
        self.at += 1
        start, name = self.word("a sub-attribute")
        if not ATTRIBUTE_NAME.match(name):
            self.fail("a sub-attribute such as 'value'", start)
        comparison = self.expression(AttributePath(name))
        return And((*(tree.terms if isinstance(tree, And) else (tree,)), comparison))

    def expression(self, path: AttributePath) -> Tree:
        self.terms += 1
        if self.terms > MAX_TERMS:
            raise InvalidFilter(f"The filter has more than {MAX_TERMS} conditions. Split it.")
        expected = f"an operator ({', '.join(_OPERATORS)} or pr)"
        start, word = self.word(expected)
        if word.lower() == "pr":
            return Present(path)
        operator = _OPERATORS.get(word.lower())
        if operator is None:
            self.fail(expected, start)
        return Comparison(path, operator, self.literal())

    def literal(self) -> JsonLiteral:
        self.skip_blanks()
        if self.text.startswith('"', self.at):
            return self.string()
        expected = "a value: text in double quotes, a number, true, false or null"
        start, word = self.word(expected)
        if word.lower() in _KEYWORDS:
            return _KEYWORDS[word.lower()]
        number = _NUMBER.fullmatch(word)
        if number is None:
            self.fail(expected, start)
        return self.number(number, start)

    def string(self) -> str:
        start = self.at
        match = _STRING.match(self.text, start)
        if match is None:
            self.fail("a closing double quote for the text that begins here")
        self.at = match.end()
        try:
            value = str(json.loads(match[0]))
        except ValueError:
            self.fail("text escaped as in JSON", start)
        if not is_storable(value):
            self.fail("text without NUL characters and halves of surrogate pairs", start)
        return value

    def number(self, match: re.Match[str], start: int) -> int | float:
        if len(match[0]) > MAX_DIGITS:
            self.fail(f"a number of at most {MAX_DIGITS} digits", start)
        if match["fraction"] is None and match["exponent"] is None:
            return int(Decimal(match[0]))  # int(str) refuses more than 4300 digits.
        number = float(match[0])
        if not math.isfinite(number):
            self.fail("a number below 1.8e308", start)
        return number

    # -- tokens ----------------------------------------------------------------------------

    def skip_blanks(self) -> None:
        match = _BLANK.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def at_end(self) -> bool:
        self.skip_blanks()
        return self.at == len(self.text)

    def take(self, character: str) -> bool:
        self.skip_blanks()
        taken = self.text.startswith(character, self.at)
        self.at += taken
        return taken

    def expect(self, character: str, expected: str) -> None:
        if not self.take(character):
            self.fail(expected)

    def take_word(self, word: str) -> bool:
        self.skip_blanks()
        match = _WORD.match(self.text, self.at)
        if match is None or match[0].lower() != word:
            return False
        self.at = match.end()
        return True

    def word(self, expected: str) -> tuple[int, str]:
        """The next word and where it begins."""
        self.skip_blanks()
        match = _WORD.match(self.text, self.at)
        if match is None:
            self.fail(expected)
        self.at = match.end()
        return match.start(), match[0]

    def fail(self, expected: str, at: int | None = None) -> NoReturn:
        """Raise InvalidFilter for what stands at a column, the present one by default."""
        column = self.at if at is None else at
        found = quoted(self.text[column:]) if column < len(self.text) else "the end"
        raise InvalidFilter(f"At column {column + 1}: expected {expected}, found {found}.")
