"""Where roster and gradebook differ, as a table: one line a student."""

from collections.abc import Mapping, Sequence

from ..gradebook.roster import NAMES
from ..gradebook.sync import Difference, Step
from ..translation import gettext as _
from .output import render_table


def render_sync(differences: Sequence[Difference], steps: Sequence[Step]) -> str:
    """Return the table: each student, their names on either side, and the steps for them."""
    steps_of: dict[str, list[str]] = {}
    for step in steps:
        steps_of.setdefault(step.username, []).append(str(step))
    rows = [
        [
            found.username,
            _render_names(found.on_roster),
            _render_names(found.in_gradebook),
            "; ".join(steps_of.get(found.username, ["–"])),
        ]
        for found in differences
    ]
    return render_table([_("student"), _("roster"), _("gradebook"), _("to do")], rows)


def _render_names(names: Mapping[str, str] | None) -> str:
    if names is None:
        return _("missing")
    return ", ".join(names[name] for name in NAMES if name in names) or _("no names")
