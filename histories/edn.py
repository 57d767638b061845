"""EDN, Clojure's data notation: a reader and a writer.

The whole data language is read: maps, vectors, lists, sets, strings, characters, numbers,
keywords, symbols, tagged values, comments and discarded forms.  Vectors and lists become lists;
of tags only the name is known.  Errors carry their place, depth has a limit.  Hand-written: the
libraries we tried were several times slower, lost the line, or refused tags unknown to them.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from histories.value import NESTING_MAX, freeze


class Keyword(str):
    """A keyword; equal to the string of its name."""

    __slots__ = ()


class Symbol(str):
    """A symbol; equal to the string of its name."""

    __slots__ = ()


class Tagged(NamedTuple):
    """A tagged value, as it stood."""

    tag: str
    value: Any


class SyntaxProblem(Exception):
    """What is wrong, and ``at`` which character of the text."""

    def __init__(self, at: int, problem: str) -> None:
        super().__init__(problem)
        self.at = at


_TOKEN = re.compile(
    r"""(?:[\s,]|;[^\n]*)*(?:
        (?P<atom>[^\s,;"(){}\[\]\\#][^\s,;"(){}\[\]\\]*)
      | (?P<open>\#?\{|\(|\[)
      | (?P<close>\}|\)|\])
      | (?P<string>"[^"\\]*(?:\\.[^"\\]*)*")
      | (?P<discard>\#_)
      | (?P<symbolic>\#\#-?\w+)
      | (?P<tag>\#[A-Za-z][^\s,;"(){}\[\]\\]*)
      | (?P<character>\\(?:u[0-9A-Fa-f]{4}|[a-z]+|.))
      | (?P<end>\Z)
      | (?P<bad>)
    )""",
    re.VERBOSE | re.DOTALL,
)
_INTEGER = re.compile(r"[+-]?(?:0|[1-9][0-9]*)N?\Z")
_FLOAT = re.compile(r"[+-]?(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?M?\Z")
_KEYWORD = re.compile(r"[^\s,;\"(){}\[\]\\#:@^`~0-9][^\s,;\"(){}\[\]\\#@^`~]*\Z")
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_ESCAPES = {"t": "\t", "r": "\r", "n": "\n", "b": "\b", "f": "\f", "\\": "\\", '"': '"'}
_CHARACTERS = {"newline": "\n", "return": "\r", "space": " ", "tab": "\t"}
_SYMBOLIC = {"##NaN": float("nan"), "##Inf": float("inf"), "##-Inf": float("-inf")}
_WORDS: dict[str, Any] = {"nil": None, "true": True, "false": False}
_CLOSING = {"{": "}", "#{": "}", "(": ")", "[": "]"}


class Token(NamedTuple):
    """A piece of text that means something, and where it starts."""

    kind: str
    text: str
    at: int


class Reader:
    """Reads the forms of one text, one after the other; SyntaxProblem for what is none."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self._atoms: dict[str, Any] = {}

    def token(self) -> Token:
        """The next token; its kind is ``end`` after the last one."""
        match = _TOKEN.match(self.text, self.at)
        assert match is not None and match.lastgroup is not None
        kind = match.lastgroup
        start = match.start(kind)
        if kind == "bad":
            raise SyntaxProblem(start, f"cannot read {self.text[start:start + 20]!r}")
        self.at = match.end()
        return Token(kind, match[kind], start)

    def form(self, token: Token, depth: int = 0) -> Any:
        """The form that starts with this token."""
        kind, text, at = token
        if kind == "atom":
            if text not in self._atoms:
                self._atoms[text] = _atom(text, at)
            return self._atoms[text]
        if kind == "string":
            return _string(text[1:-1], at) if "\\" in text else text[1:-1]
        if depth >= NESTING_MAX:
            raise SyntaxProblem(at, f"nested deeper than {NESTING_MAX} levels")
        if kind == "open":
            return _collection(text, self.forms(token, depth + 1), at)
        if kind == "tag":
            return Tagged(text[1:], self.form(self.token(), depth + 1))
        if kind == "discard":
            self.form(self.token(), depth + 1)
            return self.form(self.token(), depth + 1)
        if kind == "symbolic" and text in _SYMBOLIC:
            return _SYMBOLIC[text]
        if kind == "character":
            return _character(text[1:], at)
        found = "the end" if kind == "end" else text
        raise SyntaxProblem(at, f"expected a value, found {found}")

    def forms(self, opening: Token, depth: int) -> list[Any]:
        """All forms up to the end of the collection that this token opens."""
        items: list[Any] = []
        while True:
            token = self.token()
            if token.kind == "close":
                if token.text != _CLOSING[opening.text]:
                    raise SyntaxProblem(token.at, f"{token.text} closes {opening.text}")
                return items
            if token.kind == "end":
                raise SyntaxProblem(opening.at, f"{opening.text} is never closed")
            if token.kind == "discard":
                self.form(self.token(), depth)
            else:
                items.append(self.form(token, depth))


def loads(text: str) -> Any:
    """The one value in a text; SyntaxProblem if there is none, or more."""
    reader = Reader(text)
    value = reader.form(reader.token())
    rest = reader.token()
    if rest.kind != "end":
        raise SyntaxProblem(rest.at, f"expected the end, found {rest.text}")
    return value


def _atom(text: str, at: int) -> Any:
    if text[0] == ":" and len(text) > 1:
        return Keyword(text[1:])
    if text in _WORDS:
        return _WORDS[text]
    try:
        if _INTEGER.match(text):
            return int(text.rstrip("N"))
        if _FLOAT.match(text):
            return float(text.rstrip("M"))
    except ValueError as problem:
        raise SyntaxProblem(at, str(problem)) from None
    if text[0].isdigit() or text[0] == ":":
        raise SyntaxProblem(at, f"cannot read {text[:20]!r}")
    return Symbol(text)


def _string(text: str, at: int) -> str:
    def replace(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 16))
        if match[2] not in _ESCAPES:
            raise SyntaxProblem(at, f"no escape {match[0]} in strings")
        return _ESCAPES[match[2]]

    return _ESCAPE.sub(replace, text)


def _character(text: str, at: int) -> str:
    if len(text) == 1:
        return text
    if text in _CHARACTERS:
        return _CHARACTERS[text]
    if text[0] == "u" and len(text) == 5:
        return chr(int(text[1:], 16))
    raise SyntaxProblem(at, f"no character \\{text}")


def _collection(opening: str, items: list[Any], at: int) -> Any:
    if opening == "{":
        if len(items) % 2:
            raise SyntaxProblem(at, "a map with a key that has no value")
        keys = [freeze(key) for key in items[::2]]
        if len(set(keys)) < len(keys):
            raise SyntaxProblem(at, "a map with the same key twice")
        return dict(zip(keys, items[1::2]))
    return frozenset(freeze(item) for item in items) if opening == "#{" else items


def dumps(value: Any) -> str:
    """A value as EDN in one line; sets in the order of their members' text.

    TypeError for a value of a type that EDN does not have.
    """
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Keyword):
        return keyword(value)
    if isinstance(value, Symbol):
        return str(value)
    if isinstance(value, str):
        return _quote(value)
    if isinstance(value, float) and (value != value or value in (1e999, -1e999)):
        return next(text for text, known in _SYMBOLIC.items() if repr(known) == repr(value))
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, Tagged):
        return f"#{value.tag} {dumps(value.value)}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{dumps(k)} {dumps(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (set, frozenset)):
        return "#{" + " ".join(sorted(map(dumps, value))) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + " ".join(map(dumps, value)) + "]"
    raise TypeError(f"EDN has no {type(value).__name__}")


def keyword(name: str) -> str:
    """A name as a keyword, or as a string where no keyword can spell it."""
    return f":{name}" if _KEYWORD.match(name) else _quote(name)


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    for letter in "trnbf":
        escaped = escaped.replace(_ESCAPES[letter], "\\" + letter)
    return f'"{escaped}"'
