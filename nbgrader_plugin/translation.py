"""The texts for people, in their language: gettext's catalogues in `locale/`, English where there is none.

The language is that of the environment (LANGUAGE, LC_ALL, LC_MESSAGES, LANG), also in Jupyter's server, which has that
of the user's container. What programs read stays as it is: JSON, CSV, exit statuses, logs of the server.
Needs the standard library alone.
"""

import gettext as catalogues
import os
from functools import lru_cache
from pathlib import Path

DOMAIN = "nbgrader_plugin"
LOCALE = Path(__file__).parent / "locale"
VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")  # the first that is set counts
ENGLISH = "en"  # the language of the texts in the code
AS_IN_CODE = ("C", "POSIX", ENGLISH)


def language() -> str:
    """Return the language that the user is spoken to in, as in `Accept-Language`."""
    return str(_catalogue().info().get("language", ENGLISH))


def gettext(message: str) -> str:
    return _catalogue().gettext(message)


def ngettext(singular: str, plural: str, number: int) -> str:
    return _catalogue().ngettext(singular, plural, number)


def pgettext(context: str, message: str) -> str:
    return _catalogue().pgettext(context, message)


def _catalogue() -> catalogues.NullTranslations:
    return _find_catalogue(next((value for name in VARIABLES if (value := os.environ.get(name))), ""))


@lru_cache(maxsize=8)
def _find_catalogue(locales: str) -> catalogues.NullTranslations:
    """Return the catalogue of the first of the locales that has one, such as `de_AT.UTF-8:en`.

    gettext itself looks for English, finds no catalogue, and goes on to the next one.
    """
    for locale in locales.split(":"):
        if locale.partition(".")[0].partition("_")[0] in AS_IN_CODE:
            break
        if catalogues.find(DOMAIN, LOCALE, [locale]):
            return catalogues.translation(DOMAIN, LOCALE, [locale])
    return catalogues.NullTranslations()
