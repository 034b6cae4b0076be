"""Notebooks as HTML, made by nbconvert."""

import json
import re
from functools import cache
from typing import Any

import nbformat
from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode, reader
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from traitlets.config import Config

from exchange.rendering.cleaning import clean
from exchange.rendering.formulas import typeset
from exchange.rendering.languages import LANGUAGES
from exchange.rendering.notes import NOTES
from exchange.rendering.pictures import take_pictures
from exchange.rendering.texts import lexer_of

LONGEST_OUTPUT = 100_000  # characters of one output's text; HTML may have ten times as many
MOST_OUTPUTS = 300  # of one cell
SHOWN = ["text/html", "text/markdown", "image/svg+xml", "text/latex", "image/png", "image/jpeg", "text/plain"]
ALIASES = {
    "python3": "python",
    "ipython": "python",
    "ipython3": "python",
    "py": "python",
    "c++": "cpp",
    "shell": "bash",
}
BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
FORMATTER = HtmlFormatter(wrapcode=True)


def render(content: bytes, options: dict[str, str]) -> bytes:
    """Return the notebook, and pictures beside it, as a piece of HTML. Errors: ValueError and others, if it is none."""
    document, pictures = take_pictures(content, options)
    notebook = _read(document.decode("utf-8-sig"))
    notes = NOTES | json.loads(options.get("notes", "{}"))
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = _shorten(cell.outputs, notes)
    html, _ = exporter().from_notebook_node(notebook)
    return clean(typeset(html, pictures)).encode()


def _read(text: str) -> NotebookNode:
    """Return the notebook in nbformat 4, without checking it: what is odd in it may be in a part that is not shown."""
    notebook: NotebookNode = reader.reads(text)
    return notebook if notebook.nbformat == 4 else nbformat.convert(notebook, 4)


class Renderer(IPythonRenderer):
    def block_code(self, code: str, info: str | None = None) -> str:
        return _highlight(code, (info or "").strip().partition(" ")[0])


class Exporter(HTMLExporter):
    @pass_context
    def markdown2html(self, context: Context, source: str) -> str:
        attachments = context.get("cell", {}).get("attachments", {})
        renderer = Renderer(escape=False, attachments=attachments, exclude_anchor_links=True)
        return str(MarkdownWithMath(renderer=renderer).render(source))


@pass_context
def highlight_code(context: Context, source: str, metadata: object = None) -> str:
    """Filter of nbconvert's templates."""
    return _highlight(source, str(context["nb"].metadata.get("language_info", {}).get("name", "python")))


@cache
def exporter() -> Exporter:
    """Return the exporter, which has read its templates after the first use."""
    return Exporter(
        config=Config(NbConvertBase={"display_data_priority": SHOWN}),
        template_name="lab",
        template_file="base.html.j2",
        filters={"highlight_code": highlight_code},
    )


def _highlight(source: str, language: str) -> str:
    name = ALIASES.get(language.lower(), language.lower())
    return str(highlight(source, lexer_of(LANGUAGES.get(f".{name}", name)), FORMATTER))


def _shorten(outputs: list[NotebookNode], notes: dict[str, str]) -> list[NotebookNode]:
    for output in outputs:
        if output.output_type == "stream":
            output.text = _cut(output.text, notes)
        elif output.output_type == "error":
            output.traceback = [_cut(line, notes) for line in output.traceback[:MOST_OUTPUTS]]
        else:
            _shorten_data(output.data, notes)
    if (left_out := len(outputs) - MOST_OUTPUTS) <= 0:
        return outputs
    text = notes["outputs"] % {"count": left_out}
    note = NotebookNode(output_type="stream", name="stdout", text=text)
    return [*outputs[:MOST_OUTPUTS], note]


def _shorten_data(formats: dict[str, Any], notes: dict[str, str]) -> None:
    """Leave of an output's formats what can be shown: not a script's HTML, where there is a picture or text too."""
    html = formats.get("text/html", "")
    if len(html) > 10 * LONGEST_OUTPUT or ("<script" in html and "<table" not in html and len(formats) > 1):
        del formats["text/html"]
        formats.setdefault("text/plain", notes["hidden"])
    for name in ("text/plain", "text/latex", "text/markdown"):
        if name in formats:
            formats[name] = _cut(formats[name], notes)
    for name in ("image/png", "image/jpeg"):
        if name in formats and not BASE64.fullmatch(str(formats[name])):
            del formats[name]
    if not formats.keys() & set(SHOWN):
        formats["text/plain"] = notes["live"]


def _cut(text: str, notes: dict[str, str]) -> str:
    if len(text) <= LONGEST_OUTPUT:
        return text
    note = notes["characters"] % {"count": f"{len(text) - LONGEST_OUTPUT:,}"}
    return f"{text[:LONGEST_OUTPUT]}\n{note}"
