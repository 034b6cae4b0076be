"""What is said in a rendered document about what is left out. documents.py gives them in the reader's language."""

from exchange.paths import gettext_noop

NOTES = {
    "outputs": gettext_noop("… %(count)s more outputs are not shown."),
    "characters": gettext_noop("… %(count)s more characters are not shown."),
    "hidden": gettext_noop("(This output is not shown here.)"),
    "live": gettext_noop("(This output needs a running notebook.)"),
}
