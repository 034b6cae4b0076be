"""The catalogues of translations: complete, in step with the texts in the code, and compiled."""

import gettext
import os
import re
import shutil
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.conf import settings

TOP = Path(__file__).parents[1]
APPS = ("ngshare_site", "courses", "exchange")
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != "en"]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w+\}|</?(?:a|code|em|p|span|strong)\b[^>]*>")


@pytest.fixture(params=[(app, language) for app in APPS for language in LANGUAGES], ids="-".join)
def folder(request):
    app, language = request.param
    return TOP / app / "locale" / language / "LC_MESSAGES"


def read(folder):
    with open(folder / "django.po", "rb") as file:
        return read_po(file, abort_invalid=True)


def forms(text):
    return list(text) if isinstance(text, tuple | list) else [text]


def test_every_text_is_translated(folder):
    catalogue = read(folder)
    assert [message.id for message in catalogue if message.id and not all(forms(message.string))] == []
    assert [message.id for message in catalogue if message.id and message.fuzzy] == []
    assert not list(catalogue.obsolete)


def test_translations_have_the_placeholders_and_tags_of_the_texts(folder):
    wrong = []
    for message in read(folder):
        *_, most = (sorted(PLACEHOLDER.findall(text)) for text in forms(message.id))
        found = [sorted(PLACEHOLDER.findall(text)) for text in forms(message.string)]
        if message.id and found[-1] != most:
            wrong.append(message.id)
    assert wrong == []


def test_compiled_catalogue_is_the_one_that_people_read(folder):
    with open(folder / "django.mo", "rb") as file:
        compiled = gettext.GNUTranslations(file)
    for message in read(folder):
        if message.id:
            (text, *more), strings = forms(message.id), forms(message.string)
            counts = (1, 2) if more else (None,)
            for count, string in zip(counts, strings, strict=True):
                match message.context, count:
                    case None, None:
                        found = compiled.gettext(text)
                    case None, _:
                        found = compiled.ngettext(text, *more, count)
                    case context, None:
                        found = compiled.pgettext(context, text)
                    case context, _:
                        found = compiled.npgettext(context, text, *more, count)
                assert found == string


def test_catalogue_has_every_text_of_the_code_and_no_other(folder, tmp_path):
    """`make messages` changes nothing."""
    assert shutil.which("xgettext"), "gettext is not installed (Debian: apt-get install gettext)"
    app, language = folder.parents[2].name, folder.parent.name
    shutil.copytree(TOP / app, tmp_path / app, ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
    options = re.search(
        r"makemessages --locale \S+((?:[ \t\\\n]+--[\w-]+(?: \w+)?)+) &&", (TOP / "Makefile").read_text()
    )
    command = [
        sys.executable,
        "-m",
        "django",
        "makemessages",
        "--locale",
        language,
        *options[1].replace("\\", "").split(),
    ]
    env = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(command, cwd=tmp_path / app, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    made = read(tmp_path / folder.relative_to(TOP))
    assert keys(made) == keys(read(folder))


def keys(catalogue):
    return {(message.context, message.id) for message in catalogue if message.id}


@pytest.mark.parametrize("language", LANGUAGES)
def test_same_text_is_translated_in_the_same_way_everywhere(language):
    """Django has one catalogue of all apps in which one translation of a text hides the others."""
    texts = {
        app: {(each.context, str(forms(each.id)[0])): forms(each.string)[0] for each in read(path) if each.id}
        for app in APPS
        for path in [TOP / app / "locale" / language / "LC_MESSAGES"]
    }
    for one, other in combinations(APPS, 2):
        shared = texts[one].keys() & texts[other].keys()
        assert {
            key: (texts[one][key], texts[other][key]) for key in shared if texts[one][key] != texts[other][key]
        } == {}
