"""The readers of the environment."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from ngshare_site import env


@pytest.fixture
def value(monkeypatch):
    return lambda text: monkeypatch.setenv("NAME", text)


def test_text_may_come_from_a_file_and_has_no_space_around_it(monkeypatch, tmp_path, value):
    assert env.text("NAME", "x") == "x"
    value("  a b \n")
    assert env.text("NAME") == "a b"
    (tmp_path / "file").write_text(" from a file\n")
    monkeypatch.setenv("NAME_FILE", str(tmp_path / "file"))
    assert env.text("NAME") == "from a file"


@pytest.mark.parametrize(("text", "expected"), [("1", True), ("Yes", True), ("on", True), ("0", False), ("OFF", False)])
def test_flag(value, text, expected):
    value(text)
    assert env.flag("NAME", not expected) is expected


def test_flag_without_a_value_is_the_default(value):
    value("")
    assert env.flag("NAME", True) is True and env.flag("NAME") is False


@pytest.mark.parametrize("text", ["-1", "1.5", "x", "0"])
def test_number_that_is_none_or_too_small_is_refused(value, text):
    value(text)
    with pytest.raises(ImproperlyConfigured, match="NAME=.*1 or more"):
        env.number("NAME", 5, least=1)


@pytest.mark.parametrize(
    ("text", "expected"), [("500000", 500_000), ("100MB", 10**8), ("1 GiB", 2**30), ("1.5kb", 1500), ("2b", 2)]
)
def test_size(value, text, expected):
    value(text)
    assert env.size("NAME", "1") == expected


@pytest.mark.parametrize("text", ["0", "-1MB", "MB", "1 parsec"])
def test_size_that_is_none_is_refused(value, text):
    value(text)
    with pytest.raises(ImproperlyConfigured, match="NAME"):
        env.size("NAME", "1")


def test_names(value):
    value(" a, ,b c,")
    assert env.names("NAME") == ["a", "b c"]


def test_sqlite_waits_for_writers_and_syncs(value, tmp_path):
    value("sqlite:////srv/a%20b.sqlite3")
    found = env.database("NAME", tmp_path)
    assert found["NAME"] == "/srv/a b.sqlite3" and found["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "synchronous=FULL" in found["OPTIONS"]["init_command"]


def test_postgres_is_read_whole(value, tmp_path):
    value("postgres://us%40er:p%2Fw@host:5433/name?sslmode=require")
    found = env.database("NAME", tmp_path)
    parts = ("NAME", "USER", "PASSWORD", "HOST", "PORT", "OPTIONS")
    assert [found[part] for part in parts] == ["name", "us@er", "p/w", "host", "5433", {"sslmode": "require"}]


def test_socket_of_postgres_is_a_host(value, tmp_path):
    value("postgresql://u@/name?host=/run/postgres")
    assert env.database("NAME", tmp_path)["HOST"] == "/run/postgres"


@pytest.mark.parametrize("text", ["mysql://h/n", "postgres://h", "postgres://h:x/n", "nonsense"])
def test_database_that_is_none_is_refused(value, tmp_path, text):
    value(text)
    with pytest.raises(ImproperlyConfigured, match="NAME"):
        env.database("NAME", tmp_path)


def test_redis_holds_json(value, tmp_path):
    value("redis://h:6379/0")
    assert env.cache("NAME", tmp_path)["OPTIONS"]["serializer"] == "ngshare_site.cache.JSONSerializer"


def test_s3(value):
    value("s3://bucket/a/b?endpoint_url=http%3A%2F%2Fx&region_name=eu")
    options = env.storage("NAME", Path("/x"))["OPTIONS"]
    assert (options["bucket_name"], options["location"], options["endpoint_url"]) == ("bucket", "a/b", "http://x")
    assert options["default_acl"] is None and options["querystring_auth"] is True  # nothing is public


def test_keys_of_s3_may_come_from_files(monkeypatch, tmp_path, value):
    value("s3://bucket")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ngshare")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY", raising=False)
    (tmp_path / "key").write_text("from a file\n")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY_FILE", str(tmp_path / "key"))
    options = env.storage("NAME", Path("/x"))["OPTIONS"]
    assert (options["access_key"], options["secret_key"]) == ("ngshare", "from a file")
    assert "security_token" not in options


@pytest.mark.parametrize("chosen", [[], ["downloads"], ["downloads", "uploads"]])
def test_object_store_may_be_reached_directly(monkeypatch, value, chosen):
    value(", ".join(chosen))
    monkeypatch.setenv("STORE", "s3://bucket")
    assert env.direct("NAME", storage="STORE") == chosen


@pytest.mark.parametrize("store", ["", "file:///folder"])
def test_folder_cannot_be_reached_directly(monkeypatch, value, store):
    value("downloads")
    monkeypatch.setenv("STORE", store)
    with pytest.raises(ImproperlyConfigured, match=r"NAME: a folder cannot be reached directly\. Set STORE to s3"):
        env.direct("NAME", storage="STORE")


def test_unknown_direct_way_is_refused(monkeypatch, value):
    value("downloads,everything")
    monkeypatch.setenv("STORE", "s3://bucket")
    with pytest.raises(ImproperlyConfigured, match="NAME: write downloads, uploads or both, not everything"):
        env.direct("NAME", storage="STORE")


@pytest.mark.parametrize("text", ["s3://", "s3://b?secret=x", "ftp://x", "file://"])
def test_storage_that_is_none_is_refused(value, text):
    value(text)
    with pytest.raises(ImproperlyConfigured, match="NAME"):
        env.storage("NAME", Path("/x"))


def test_cache(value, tmp_path):
    value("rediss://host:6379/1")
    assert env.cache("NAME", tmp_path)["LOCATION"] == "rediss://host:6379/1"
    value("")
    assert env.cache("NAME", tmp_path)["LOCATION"] == str(tmp_path)


@pytest.mark.parametrize("text", ["memcached://host", "host:6379", "nonsense"])
def test_cache_that_is_none_is_refused(value, tmp_path, text):
    value(text)
    with pytest.raises(ImproperlyConfigured, match="NAME: write redis://"):
        env.cache("NAME", tmp_path)


KEPT, GIVEN = "kept: 0123456789 abcdefghijklmnop", "given: 0123456789 abcdefghijklmno"


def test_secret_is_read_and_never_made(monkeypatch, tmp_path):
    assert env.secret("NAME", tmp_path) == "" and list(tmp_path.iterdir()) == []
    (tmp_path / "name").write_text(f"{KEPT}\n")
    assert env.secret("NAME", tmp_path) == KEPT
    monkeypatch.setenv("NAME", GIVEN)
    assert env.secret("NAME", tmp_path) == GIVEN


@pytest.mark.parametrize("text", ["x", GIVEN[:31], "abcd" * 20])
def test_secret_that_can_be_guessed_is_refused_and_not_shown(monkeypatch, tmp_path, text):
    message = r"NAME: this key can be guessed\. Write 32 random characters or more: openssl rand -hex 32\."
    monkeypatch.setenv("NAME", text)
    with pytest.raises(ImproperlyConfigured, match=f"^{message}$"):
        env.secret("NAME", tmp_path)
    monkeypatch.setenv("NAME", f"{KEPT},{text}")
    with pytest.raises(ImproperlyConfigured, match=f"^{message}$"):
        env.secrets("NAME")
    monkeypatch.delenv("NAME")
    (tmp_path / "name").write_text(text)
    with pytest.raises(ImproperlyConfigured, match=f"^{message}$"):
        env.secret("NAME", tmp_path)
