"""Formulas in HTML: what stands between TeX's delimiters becomes MathML, which browsers show without a script.

What cannot be converted stays as it was written. On the way, pictures that lie beside a document get into it.
"""

import re
from collections.abc import Mapping
from html import escape
from html.parser import HTMLParser
from posixpath import normpath
from types import MappingProxyType
from urllib.parse import unquote

from math_core import LatexError, LatexToMathML

Attributes = list[tuple[str, str | None]]
ROOM_FOR_PICTURES = 10_000_000  # characters, in one document
LONGEST = 5000  # characters of a formula
VERBATIM = frozenset(("code", "pre", "script", "style", "textarea", "title", "math", "svg", "kbd", "samp"))
# A dollar that opens is followed by something, and one that closes follows something and stands before no digit:
# "$5 and $6" are amounts. A formula holds no empty line.
FORMULA = re.compile(
    rf"""
    \\(?P<dollar>\$)
    | \$\$ (?P<display>(?:(?!\$\$).){{1,{LONGEST}}}?) \$\$
    | \$ (?P<inline>(?=[^\s$]) (?:\\.|[^$\\]){{1,{LONGEST}}}? ) (?<!\s) \$ (?!\d)
    | \\\( (?P<round>.{{1,{LONGEST}}}?) \\\)
    | \\\[ (?P<square>.{{1,{LONGEST}}}?) \\\]
    | (?P<environment>\\begin\{{(?P<name>[a-zA-Z]{{1,20}}\*?)\}} .{{0,{LONGEST}}}? \\end\{{(?P=name)\}})
    """,
    re.VERBOSE | re.DOTALL,
)
EMPTY_LINE = re.compile(r"\n[ \t]*\n")
OLD_ARRAY = re.compile(r"\\(begin|end)\{eqnarray(\*?)\}")


def typeset(html: str, pictures: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return the HTML with its formulas as MathML, and links elsewhere that open a tab of their own.

    `pictures` are those that the document may name by their paths, as `data:`. The HTML may be anything; the result is
    no safer than that.
    """
    typesetter = _Typesetter(pictures)
    typesetter.feed(html)
    typesetter.close()
    typesetter.flush()
    return "".join(typesetter.parts)


class _Typesetter(HTMLParser):
    """Copies HTML, tag by tag, and converts the text between."""

    def __init__(self, pictures: Mapping[str, str]) -> None:
        super().__init__(convert_charrefs=True)
        self._pictures = pictures
        self._room = ROOM_FOR_PICTURES
        self.parts: list[str] = []
        self._text: list[str] = []
        self._verbatim: list[str] = []  # the elements around, in which nothing is a formula
        self._converter = LatexToMathML()  # keeps a document's macros and the numbers of its equations

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def flush(self) -> None:
        text, self._text = "".join(self._text), []
        self.parts.append(escape(text, quote=False) if self._verbatim else self._convert(text))

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        self.flush()
        if tag in VERBATIM:
            self._verbatim.append(tag)
        self.parts.append(self._rewrite(tag, attrs) or self.get_starttag_text() or "")

    def handle_startendtag(self, tag: str, attrs: Attributes) -> None:
        self.flush()
        self.parts.append(self._rewrite(tag, attrs) or self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        self.flush()
        if tag in self._verbatim:
            del self._verbatim[self._verbatim.index(tag) :]
        self.parts.append(f"</{tag}>")

    def _rewrite(self, tag: str, attrs: Attributes) -> str:
        """Return a link that opens a tab, or a picture that is in the document; nothing for all other tags."""
        if tag == "a":
            return _open_link(attrs)
        picture = self._pictures.get(normpath(unquote(dict(attrs).get("src") or ""))) if tag == "img" else None
        if picture is None or len(picture) > self._room:
            return ""
        self._room -= len(picture)
        return _write_tag("img", [(name, picture if name == "src" else value) for name, value in attrs])

    def _convert(self, text: str) -> str:
        parts, end = [], 0
        for match in FORMULA.finditer(text) if "$" in text or "\\" in text else ():
            parts += [escape(text[end : match.start()], quote=False), self._convert_formula(match)]
            end = match.end()
        return "".join([*parts, escape(text[end:], quote=False)])

    def _convert_formula(self, match: re.Match[str]) -> str:
        if match["dollar"]:
            return "$"
        source = next(filter(None, match.group("display", "inline", "round", "square", "environment")))
        is_inline = bool(match["inline"] or match["round"])
        if EMPTY_LINE.search(source):
            return escape(match.group(), quote=False)
        try:
            source = OLD_ARRAY.sub(r"\\\1{align\2}", source).replace("&=&", "&=")
            return self._converter.convert_with_global_state(source.strip(), displaystyle=not is_inline)
        except LatexError:
            return f'<code class="formula">{escape(match.group(), quote=False)}</code>'


def _open_link(attrs: Attributes) -> str:
    kept = [(name, value) for name, value in attrs if name != "target"]
    if not (dict(kept).get("href") or "#").startswith("#"):
        kept.append(("target", "_blank"))
    return _write_tag("a", kept)


def _write_tag(tag: str, attrs: Attributes) -> str:
    return f"<{tag}" + "".join(f' {name}="{escape(value or "")}"' for name, value in attrs) + ">"
