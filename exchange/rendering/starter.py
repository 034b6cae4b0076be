"""Loads all that renders, and starts a process for each document. sandbox.py runs it."""

import sys

from exchange.rendering import child, differences, notebooks, texts, webpages
from exchange.rendering.languages import LANGUAGES

SAMPLE = b"""{"cells": [
 {"cell_type": "markdown", "metadata": {}, "source": "# $x$\\n\\n|a|\\n|-|\\n|1|\\n\\n```r\\n1\\n```\\n[a](b)"},
 {"cell_type": "code", "execution_count": 1, "metadata": {}, "source": "1", "outputs": [
  {"output_type": "stream", "name": "stdout", "text": "1"},
  {"output_type": "error", "ename": "E", "evalue": "", "traceback": ["\\u001b[31mE"]},
  {"output_type": "display_data", "metadata": {}, "data": {"image/svg+xml": "<svg/>", "text/plain": "1"}},
  {"output_type": "display_data", "metadata": {}, "data": {"text/markdown": "*a*"}},
  {"output_type": "display_data", "metadata": {}, "data": {"text/html": "<p>", "text/latex": "$x$"}}]}],
 "metadata": {}, "nbformat": 4, "nbformat_minor": 4}"""
OLD_SAMPLE = b"""{"worksheets": [{"cells": [
 {"cell_type": "code", "language": "python", "input": "1", "outputs": [], "prompt_number": 1}]}],
 "metadata": {"name": ""}, "nbformat": 3, "nbformat_minor": 0}"""
TASKS = {
    "notebook": notebooks.render,
    "webpage": webpages.render,
    "text": texts.render,
    "difference": differences.render,
}


def main() -> None:
    """Load what Python would load at its first use: afterwards it could not be opened. Then wait for documents."""
    for language in {*LANGUAGES.values(), "text"}:
        texts.lexer_of(language)
    for sample in (SAMPLE, OLD_SAMPLE):
        notebooks.render(sample, {})
    child.serve(TASKS, *map(int, sys.argv[2:6]))
