"""The plugin's texts in other languages, and the catalogues that they come from."""

import subprocess

import pytest

from nbgrader_plugin import translation
from nbgrader_plugin.client.progress import files_text
from tests import servers

TEXT, GERMAN = "Interrupted.", "Abgebrochen."
PLUGIN = servers.ROOT / "nbgrader_plugin"
CATALOGUES = sorted(PLUGIN.glob("locale/*/LC_MESSAGES/nbgrader_plugin.po"))


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=300, **options)


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """The texts in the code, as `make messages` finds them."""
    file = tmp_path_factory.mktemp("texts") / "nbgrader_plugin.pot"
    sources = "\n".join(sorted(str(path.relative_to(PLUGIN)) for path in PLUGIN.rglob("*.py")))
    options = ("--from-code=UTF-8", "--language=Python", "--keyword=_", "--keyword=ngettext:1,2")
    run("xgettext", "--files-from=-", *options, f"--output={file}", cwd=PLUGIN, input=sources)
    return file


@pytest.mark.parametrize("value", ["de", "de_DE.UTF-8", "de_AT", "de:en", "fr:de", "de_CH@euro"])
@pytest.mark.parametrize("name", translation.VARIABLES)
def test_texts_are_in_the_language_of_the_environment(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert (translation.gettext(TEXT), translation.language()) == (GERMAN, "de")


@pytest.mark.parametrize("value", ["", "C", "C.UTF-8", "POSIX", "en", "en_US.UTF-8", "en_GB:de", "C:de", "fr", "../de"])
def test_other_languages_are_english(monkeypatch, value):
    monkeypatch.setenv("LANGUAGE", value)
    assert (translation.gettext(TEXT), translation.language()) == (TEXT, "en")


def test_texts_are_english_without_a_language():
    assert (translation.gettext(TEXT), translation.language()) == (TEXT, "en")


def test_first_variable_that_is_set_counts(monkeypatch):
    monkeypatch.setenv("LANGUAGE", "")
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    assert translation.gettext(TEXT) == TEXT


def test_numbers_have_their_form(monkeypatch):
    monkeypatch.setenv("LANGUAGE", "de")
    assert [files_text(count) for count in (0, 1, 2)] == ["0 Dateien", "1 Datei", "2 Dateien"]


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda path: path.parts[-3])
class TestCatalogue:
    def test_has_every_text_and_no_other(self, catalogue, template):
        run("msgcmp", catalogue, template)  # fails for a text that lacks, is empty or fuzzy
        run("msgcmp", "--use-untranslated", template, catalogue)

    def test_has_the_placeholders_of_the_texts(self, catalogue):
        run("msgfmt", "--check-format", "--output-file=/dev/null", catalogue)

    def test_is_compiled(self, catalogue, tmp_path):
        run("msgfmt", f"--output-file={tmp_path / 'new.mo'}", catalogue)
        compiled = [run("msgunfmt", file).stdout for file in (catalogue.with_suffix(".mo"), tmp_path / "new.mo")]
        assert compiled[0] == compiled[1]


def test_there_is_a_german_catalogue():
    assert "de" in [path.parts[-3] for path in CATALOGUES]
