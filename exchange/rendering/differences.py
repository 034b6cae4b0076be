"""What changed between two file sets: notebooks by cells, text by lines, in plain values for a page to show."""

import json
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from difflib import SequenceMatcher
from itertools import accumulate
from typing import Any

AROUND = 3  # unchanged lines that are shown around changes
LONGEST_LINE = 2000  # characters that are shown of a line
MOST_LINES = 5000  # of one file
MOST_CHARACTERS = 500_000  # of one file
REST = 100  # characters that say how much is not shown, at most
NEAR = 20  # cells among which one is looked for that has changed and has no id
LONGEST_KIND = 20  # characters of what a cell says to be
COMPARED = 2000  # characters by which two cells are alike


@dataclass
class Line:
    """A line, or with the mark "…" a number of unchanged lines that are left out."""

    mark: str  # " ", "+", "-", "…"
    text: str
    left_out: str = ""  # with the mark "…": what is left out, "unchanged" lines, further "lines" or "parts"
    count: int = 0  # how many of these


@dataclass
class Part:
    """A cell of a notebook, or a whole text file."""

    state: str  # "changed", "added", "removed", "same"
    title: str = ""
    lines: list[Line] = field(default_factory=list)
    outputs_changed: bool = False
    count: int = 1  # unchanged cells that follow each other are one part
    kind: str = ""  # of the cell
    number: int = 0  # of the cell


@dataclass(frozen=True)
class Cell:
    kind: str
    key: str  # by which the same cell is found again; empty, if there is nothing
    source: str
    outputs: str
    number: int


def render(content: bytes, options: dict[str, str]) -> bytes:
    """Return the parts of one file, as JSON. `content` holds what was and what is; `options` where the latter begins.

    Errors: ValueError.
    """
    start = int(options["start"])
    before, after = content[:start].decode("utf-8-sig"), content[start:].decode("utf-8-sig")
    parts = compare_notebooks(before, after) if options["kind"] == "notebook" else compare_texts(before, after)
    return json.dumps([asdict(part) for part in _shorten_parts(parts)]).encode()


def _shorten_parts(parts: list[Part]) -> list[Part]:
    length = characters = 0
    for index, part in enumerate(parts):
        length += 1 + len(part.lines)
        characters += sum(len(line.text) for line in part.lines)
        if length > MOST_LINES + 2 or characters > MOST_CHARACTERS + REST:
            count = len(parts) - index
            rest = Line("…", f"{count} more parts are not shown.", "parts", count)
            return [*parts[:index], Part("changed", lines=[rest])]
    return parts


def compare_texts(before: str, after: str) -> list[Part]:
    if before == after:
        return []
    return [Part("changed", lines=compare_lines(before, after))]


def compare_notebooks(before: str, after: str) -> list[Part]:
    """Return the cells, in their order; those that are the same as counts."""
    old, new = _read_cells(before), _read_cells(after)
    has_keys = _count_shared(old, new) * 2 >= min(len(old), len(new))

    def key_of(cell: Cell) -> Hashable:
        return cell.key if has_keys and cell.key else (cell.kind, cell.source)

    parts: list[Part] = []
    for part in _align(old, new, key_of):
        if part.state == "same" and parts and parts[-1].state == "same":
            parts[-1].count += 1
        else:
            parts.append(part)
    return [] if all(part.state == "same" for part in parts) else parts


def _align(old: list[Cell], new: list[Cell], key_of: Callable[[Cell], Hashable]) -> Iterator[Part]:
    matcher = SequenceMatcher(None, [key_of(cell) for cell in old], [key_of(cell) for cell in new], autojunk=False)
    for tag, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        left, right = old[old_start:old_end], new[new_start:new_end]
        if tag == "equal":
            yield from map(_compare_cells, left, right)
            continue
        for cell in left:
            found = next((place for place, each in enumerate(right[:NEAR]) if _is_alike(cell, each)), None)
            if found is None:
                yield _whole("removed", cell)
                continue
            yield from (_whole("added", each) for each in right[:found])
            yield _compare_cells(cell, right[found])
            right = right[found + 1 :]
        yield from (_whole("added", each) for each in right)


def _whole(state: str, cell: Cell) -> Part:
    mark = "+" if state == "added" else "-"
    return _part(state, cell, _limit([Line(mark, line) for line in _cut(cell.source.split("\n"))]))


def _compare_cells(old: Cell, new: Cell) -> Part:
    outputs_changed = old.outputs != new.outputs
    if old.source == new.source and old.kind == new.kind:
        return _part("changed" if outputs_changed else "same", new, [], outputs_changed)
    return _part("changed", new, compare_lines(old.source, new.source), outputs_changed)


def _is_alike(old: Cell, new: Cell) -> bool:
    matcher = SequenceMatcher(None, old.source[:COMPARED], new.source[:COMPARED])
    return old.kind == new.kind and matcher.quick_ratio() > 0.6 and matcher.ratio() > 0.6


def _part(state: str, cell: Cell, lines: list[Line], outputs_changed: bool = False) -> Part:
    title = f"{cell.kind.capitalize()} cell {cell.number}"
    return Part(state, title, lines, outputs_changed, kind=cell.kind, number=cell.number)


def _count_shared(old: list[Cell], new: list[Cell]) -> int:
    return len({cell.key for cell in old if cell.key} & {cell.key for cell in new})


def _read_cells(text: str) -> list[Cell]:
    """Return the cells of a notebook in nbformat 4. Errors: ValueError."""
    notebook = json.loads(text)
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise ValueError("no cells")
    return [_read_cell(cell, number) for number, cell in enumerate(notebook["cells"], 1)]


def _read_cell(cell: Any, number: int) -> Cell:
    if not isinstance(cell, dict):
        raise ValueError("no cell")
    metadata = cell.get("metadata") or {}
    key = str((metadata.get("nbgrader") or {}).get("grade_id") or cell.get("id") or "")
    source = cell.get("source", "")
    text = source if isinstance(source, str) else "".join(map(str, source))
    outputs = json.dumps([{**output, "execution_count": None} for output in cell.get("outputs", [])], sort_keys=True)
    return Cell(str(cell.get("cell_type"))[:LONGEST_KIND], key, text, outputs, number)


def compare_lines(before: str, after: str) -> list[Line]:
    """Return the lines with what changed, and a few lines around it."""
    old, new = before.split("\n"), after.split("\n")
    lines: list[Line] = []
    matcher = SequenceMatcher(None, old, new, autojunk=len(old) > MOST_LINES)
    opcodes = matcher.get_opcodes()
    for index, (tag, old_start, old_end, new_start, new_end) in enumerate(opcodes):
        if tag == "equal":
            lines += _shorten(old[old_start:old_end], is_first=index == 0, is_last=index == len(opcodes) - 1)
        else:
            lines += [Line("-", line) for line in _cut(old[old_start:old_end])]
            lines += [Line("+", line) for line in _cut(new[new_start:new_end])]
    return _limit(lines)


def _limit(lines: list[Line]) -> list[Line]:
    """Return the lines that have room, and how many have none."""
    lengths = accumulate(len(line.text) for line in lines[:MOST_LINES])
    kept = sum(length <= MOST_CHARACTERS for length in lengths)
    if not (count := len(lines) - kept):
        return lines
    return [*lines[:kept], Line("…", f"{count} more lines are not shown", "lines", count)]


def _shorten(lines: Sequence[str], *, is_first: bool, is_last: bool) -> list[Line]:
    head, tail = (0 if is_first else AROUND), (0 if is_last else AROUND)
    if (left_out := len(lines) - head - tail) <= 1:
        return [Line(" ", line) for line in _cut(lines)]
    kept = [Line(" ", line) for line in _cut(lines[:head])]
    kept.append(Line("…", f"{left_out} unchanged lines", "unchanged", left_out))
    return kept + [Line(" ", line) for line in _cut(lines[len(lines) - tail :])]


def _cut(lines: Sequence[str]) -> list[str]:
    return [line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]} …" for line in lines]
