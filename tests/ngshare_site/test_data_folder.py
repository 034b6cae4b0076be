"""The data folder and the secret key in it are made once, by whoever comes first."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import ImproperlyConfigured

from ngshare_site import data_folder
from ngshare_site.data_folder import make_secret


@pytest.fixture
def folder(settings, tmp_path, monkeypatch):
    monkeypatch.delenv("NGSHARE_SECRET_KEY")
    settings.SECRET_KEY = ""
    settings.DATA = tmp_path / "a" / "data"
    return settings.DATA


def test_folder_and_secret_are_made_and_private(folder, settings):
    data_folder.prepare()
    kept = folder / "ngshare_secret_key"
    assert settings.SECRET_KEY == kept.read_text() and len(settings.SECRET_KEY) > 50
    assert kept.stat().st_mode & 0o077 == 0 and folder.stat().st_mode & 0o077 == 0
    assert [path.name for path in folder.iterdir()] == ["ngshare_secret_key"]


def test_secret_that_was_made_is_kept(folder, settings):
    data_folder.prepare()
    first, settings.SECRET_KEY = settings.SECRET_KEY, ""
    data_folder.prepare()
    assert settings.SECRET_KEY == first


def test_secret_of_the_environment_wins_and_none_is_made(folder, settings, monkeypatch):
    monkeypatch.setenv("NGSHARE_SECRET_KEY", "from outside")
    data_folder.prepare()
    assert settings.SECRET_KEY == "from outside" and list(folder.iterdir()) == []


def test_all_who_start_at_once_have_the_same_secret(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        secrets = list(pool.map(make_secret, [tmp_path / "key"] * 8))
    assert len(set(secrets)) == 1 and [path.name for path in tmp_path.iterdir()] == ["key"]


def test_empty_secret_is_an_error(folder):
    folder.mkdir(parents=True)
    (folder / "ngshare_secret_key").write_text("\n")
    with pytest.raises(ImproperlyConfigured, match="is empty"):
        data_folder.prepare()
