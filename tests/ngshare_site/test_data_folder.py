"""The data folder and the secret key in it are made once, by whoever comes first."""

import os
import stat
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from ngshare_site import data_folder, env
from ngshare_site.data_folder import make_secret

KEY = "of these tests: 0123456789 abcdefghijk"
NOBODY = 65534  # the user that owns nothing, on Debian as elsewhere


@pytest.fixture
def folder(settings, monkeypatch):
    """Where every user of the machine may look, unlike in pytest's own folders."""
    monkeypatch.delenv("NGSHARE_SECRET_KEY")
    settings.SECRET_KEY = ""
    before = os.umask(0o022)
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        settings.DATA = Path(place) / "a" / "data"
        yield settings.DATA
    os.umask(before)


@pytest.fixture
def somebody_else():
    """A context in which root is a user to whom nothing here belongs, in no group but its own."""
    if os.geteuid() != 0:
        pytest.skip("only root may become somebody else")

    @contextmanager
    def become():
        groups = os.getgroups()
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, 0)
        os.setresuid(NOBODY, NOBODY, 0)
        try:
            yield
        finally:
            os.setresuid(0, 0, 0)
            os.setresgid(0, 0, 0)
            os.setgroups(groups)

    return become


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def make(folder, mode, group=0):
    folder.mkdir(parents=True)
    os.chown(folder, -1, group or -1)
    folder.chmod(mode)


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
    monkeypatch.setenv("NGSHARE_SECRET_KEY", "from outside: 0123456789 abcdefghij")
    data_folder.prepare()
    assert settings.SECRET_KEY == "from outside: 0123456789 abcdefghij" and list(folder.iterdir()) == []


def test_all_who_start_at_once_have_the_same_secret(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        secrets = list(pool.map(make_secret, [tmp_path / "key"] * 8))
    assert len(set(secrets)) == 1 and [path.name for path in tmp_path.iterdir()] == ["key"]


def test_empty_secret_is_an_error(folder):
    folder.mkdir(parents=True)
    (folder / "ngshare_secret_key").write_text("\n")
    with pytest.raises(ImproperlyConfigured, match="is empty"):
        data_folder.prepare()


def test_everything_made_from_now_on_is_its_owners_alone(folder):
    data_folder.prepare()
    (folder / "ngshare.sqlite3").write_text("rows")
    (folder / "blobs").mkdir()
    assert (mode(folder / "ngshare.sqlite3"), mode(folder / "blobs")) == (0o600, 0o700)


@pytest.mark.parametrize(("before", "after"), [(0o755, 0o700), (0o777, 0o700), (0o750, 0o700), (0o2770, 0o2700)])
def test_folder_of_ours_that_others_may_enter_is_closed_with_a_word(folder, caplog, before, after):
    make(folder, before)
    data_folder.prepare()
    assert mode(folder) == after and f"mode {before:o}" in caplog.text


def test_private_folder_is_left_alone_without_a_word(folder, caplog):
    make(folder, 0o700)
    for place in data_folder._places():
        if place != folder:  # the tests' database
            data_folder.keep_private(place)
    caplog.clear()
    data_folder.prepare()
    assert mode(folder) == 0o700 and caplog.text == ""


def test_volume_that_the_group_enters_is_used_as_it_is(folder, caplog, somebody_else):
    """As a volume on Kubernetes: root's, of a group that the service is in."""
    make(folder, 0o2770, group=NOBODY)
    with somebody_else():
        data_folder.prepare()
    assert mode(folder) == 0o2770 and "group" in caplog.text
    assert mode(folder / "ngshare_secret_key") == 0o600


def test_folder_that_serves_others_is_never_closed(folder):
    """As root would do to /srv or to /proc, which it owns."""
    make(folder, 0o755)
    (folder / "www").mkdir()
    with pytest.raises(ImproperlyConfigured, match=f"Give ngshare a folder of its own, such as {folder}/ngshare"):
        data_folder.prepare()
    assert mode(folder) == 0o755 and [path.name for path in folder.iterdir()] == ["www"]


@pytest.mark.parametrize("names", [["blobs", "cache", "staging", "lost+found"], ["ngshare_secret_key", "backup"]])
def test_folder_that_ngshare_used_before_is_closed(folder, names):
    make(folder, 0o755)
    for name in names:
        (folder / name).mkdir() if name != "ngshare_secret_key" else (folder / name).write_text(KEY)
    data_folder.prepare()
    assert mode(folder) == 0o700


@pytest.mark.parametrize("open_to", [0o777, 0o1777, 0o2777])
def test_foreign_folder_that_everybody_may_enter_is_refused(folder, somebody_else, open_to):
    make(folder, open_to)
    with somebody_else(), pytest.raises(ImproperlyConfigured, match="every account .* may enter .*chmod o-rwx"):
        data_folder.prepare()
    assert list(folder.iterdir()) == [] and mode(folder) == open_to


def test_refusal_of_a_folder_with_data_says_to_take_them_along(folder, somebody_else):
    """As the root of a volume that was used before: a new folder in it would look like a service without a course."""
    make(folder, 0o2775, group=NOBODY)
    (folder / "ngshare.sqlite3").touch()
    with somebody_else(), pytest.raises(ImproperlyConfigured, match=f"{folder}/ngshare, and move what is in it there,"):
        data_folder.prepare()


def test_folder_below_one_that_everybody_may_enter_is_the_services_own(folder, settings, somebody_else):
    make(folder, 0o777)
    settings.DATA = folder / "ngshare"
    with somebody_else():
        data_folder.prepare()
    assert mode(folder / "ngshare") == 0o700


def test_blobs_and_database_elsewhere_are_closed_too(folder, settings, tmp_path, monkeypatch):
    blobs, database = tmp_path / "blobs", tmp_path / "elsewhere.sqlite3"
    blobs.mkdir(mode=0o755)
    database.touch(mode=0o644)
    settings.STORAGES = {"default": {"BACKEND": "x", "OPTIONS": {"location": str(blobs)}}}
    for key, value in {"ENGINE": "ngshare_site.sqlite", "NAME": str(database)}.items():
        monkeypatch.setitem(settings.DATABASES["default"], key, value)
    data_folder.prepare()
    assert (mode(blobs), mode(database)) == (0o700, 0o600)


def test_cache_that_somebody_else_made_is_refused(folder, somebody_else):
    make(folder, 0o770, group=NOBODY)
    (folder / "cache").mkdir(mode=0o700)
    with somebody_else(), pytest.raises(ImproperlyConfigured, match="cache belongs to somebody else"):
        data_folder.prepare()


@pytest.fixture
def service_data(folder, settings, monkeypatch):
    """What a service keeps, for its own user alone."""
    make(folder, 0o700)
    database = folder / "ngshare.sqlite3"
    database.touch(mode=0o600)
    (folder / "ngshare_secret_key").touch(mode=0o600)
    (folder / "ngshare_secret_key").write_text(KEY)
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "ngshare_site.sqlite")
    monkeypatch.setitem(settings.DATABASES["default"], "NAME", str(database))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return folder


def test_folder_of_another_user_is_told_with_its_owner(service_data, somebody_else):
    with somebody_else(), pytest.raises(ImproperlyConfigured, match="belongs to root, and this user may not write"):
        data_folder.prepare()


def test_secret_of_another_user_is_told_with_its_path(service_data, somebody_else):
    os.chown(service_data, NOBODY, NOBODY)
    with somebody_else(), pytest.raises(ImproperlyConfigured, match="ngshare_secret_key: Permission denied"):
        data_folder.prepare()


def test_database_of_another_user_is_told(service_data, somebody_else):
    with (
        somebody_else(),
        pytest.raises(ImproperlyConfigured, match="Permission denied.* run this as the service's user"),
    ):
        data_folder.require_database(to_exist=True)


def test_settings_are_read_without_the_right_to_read_the_secret(service_data, somebody_else):
    """So that `help` and `check_hub` work for everybody."""
    with somebody_else():
        assert env.secret("NGSHARE_SECRET_KEY", service_data) == ""
