"""The settings that come from the environment."""

import pytest

from tests.ngshare_site.commands import run

PRINT = "from django.conf import settings; print(settings.{})"


def setting(name, cwd, **variables):
    code = ["-c", PRINT.format(name)]
    done = run(cwd=cwd, script=code, DJANGO_SETTINGS_MODULE="ngshare_site.settings", **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NGSHARE_MAX_FILES", "many"),
        pytest.param("NGSHARE_MAX_FILE_SIZE", "100 parsecs", marks=pytest.mark.wide),
        pytest.param("NGSHARE_STANDALONE", "perhaps", marks=pytest.mark.wide),
        pytest.param("DATABASE_URL", "mysql://x/y", marks=pytest.mark.wide),
        pytest.param("NGSHARE_STORAGE", "ftp://x", marks=pytest.mark.wide),
        pytest.param("NGSHARE_CACHE", "memcached://x", marks=pytest.mark.wide),
        pytest.param("NGSHARE_TIME_ZONE", "Mars/Olympus", marks=pytest.mark.wide),
        ("NGSHARE_LANGUAGE", "tlh"),
        ("NGSHARE_SECRET_KEY", "x"),
        pytest.param("NGSHARE_SECRET_KEY_FALLBACKS", "x", marks=pytest.mark.wide),
        pytest.param("NGSHARE_SECRET_KEY_FILE", "/nowhere/at/all", marks=pytest.mark.wide),
    ],
)
def test_wrong_variable_is_named_in_one_line(tmp_path, name, value):
    done = run("check", cwd=tmp_path, NGSHARE_DATA=str(tmp_path), **{name: value})
    assert done.returncode == 1
    assert name.removesuffix("_FILE") in done.stderr and done.stderr.count("\n") == 1


def test_importing_the_settings_writes_nothing(tmp_path):
    assert setting("PREFIX", tmp_path) == "/"
    assert list(tmp_path.iterdir()) == []


def test_secret_may_come_from_a_file(tmp_path):
    (tmp_path / "key").write_text("a-secret-from-a-file-0123456789-abc\n")
    assert (
        setting("SECRET_KEY", tmp_path, NGSHARE_SECRET_KEY_FILE=str(tmp_path / "key"))
        == "a-secret-from-a-file-0123456789-abc"
    )


def test_secret_that_was_made_is_read(tmp_path):
    (tmp_path / "ngshare_secret_key").write_text("made before: 0123456789 abcdefghijk")
    assert setting("SECRET_KEY", tmp_path, NGSHARE_DATA=str(tmp_path)) == "made before: 0123456789 abcdefghijk"


def test_groups_of_one_role_may_be_switched_off(tmp_path):
    patterns = setting("NGSHARE_GROUP_PATTERNS", tmp_path, NGSHARE_GROUP_INSTRUCTORS="off")
    assert patterns == "{'student': 'nbgrader-{course}', 'grader': '', 'instructor': ''}"


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [("/services/ngshare/", "/services/ngshare/"), ("services/ngshare", "/services/ngshare/"), ("/", "/")],
)
def test_prefix_has_a_slash_at_both_ends(tmp_path, prefix, expected):
    assert setting("PREFIX", tmp_path, JUPYTERHUB_SERVICE_PREFIX=prefix) == expected


@pytest.mark.parametrize(
    ("variables", "secure"),
    [
        ({"JUPYTERHUB_PUBLIC_URL": "https://x/"}, "True"),
        pytest.param({"JUPYTERHUB_PUBLIC_HUB_URL": "https://x/hub/"}, "True", marks=pytest.mark.wide),
        pytest.param({"JUPYTERHUB_HOST": "https://x"}, "True", marks=pytest.mark.wide),
        pytest.param({"JUPYTERHUB_OAUTH_CALLBACK_URL": "https://x/oauth_callback"}, "True", marks=pytest.mark.wide),
        ({"NGSHARE_SECURE_COOKIES": "1"}, "True"),
        pytest.param({"JUPYTERHUB_PUBLIC_URL": "http://x/"}, "False", marks=pytest.mark.wide),
        ({"JUPYTERHUB_PUBLIC_URL": "https://x/", "NGSHARE_SECURE_COOKIES": "0"}, "False"),
        ({}, "False"),
    ],
)
def test_cookies_are_for_https_alone_behind_https(tmp_path, variables, secure):
    assert setting("SESSION_COOKIE_SECURE", tmp_path, **variables) == secure


@pytest.mark.parametrize(
    ("variables", "hosts"),
    [
        ({}, "['*']"),
        ({"NGSHARE_STANDALONE": "1"}, "['localhost', '127.0.0.1', '[::1]']"),
        ({"NGSHARE_ALLOWED_HOSTS": "a.example, b.example"}, "['a.example', 'b.example']"),
    ],
)
def test_standalone_mode_answers_to_loopback_names_alone(tmp_path, variables, hosts):
    assert setting("ALLOWED_HOSTS", tmp_path, **variables) == hosts


MAIL = {
    "NGSHARE_MAIL": "submitted,due_soon",
    "NGSHARE_MAIL_SERVER": "smtp+starttls://us:se%2Fcret@mail.example.edu",
    "NGSHARE_MAIL_FROM": "no-reply@example.edu",
    "JUPYTERHUB_PUBLIC_URL": "https://hub.example.edu/services/ngshare/",
}


def test_mail_server_is_an_address_with_its_password(tmp_path):
    names = "EMAIL_HOST,settings.EMAIL_PORT,settings.EMAIL_HOST_PASSWORD,settings.EMAIL_USE_TLS,settings.EMAIL_USE_SSL"
    assert setting(names, tmp_path, **MAIL) == "mail.example.edu 587 se/cret True False"
    assert setting("NGSHARE_MAIL,settings.NGSHARE_PUBLIC_ORIGIN", tmp_path, **MAIL) == (
        "['submitted', 'due_soon'] https://hub.example.edu"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NGSHARE_MAIL_SERVER", ""),
        ("NGSHARE_MAIL_FROM", ""),
        ("NGSHARE_PUBLIC_URL", "hub.example.edu"),
        pytest.param("NGSHARE_MAIL", "gossip", marks=pytest.mark.wide),
        pytest.param("NGSHARE_MAIL_SERVER", "mail.example.edu", marks=pytest.mark.wide),
        pytest.param("NGSHARE_MAIL_SERVER", "smtp://us:secret@mail.example.edu:many", marks=pytest.mark.wide),
    ],
)
def test_mail_that_cannot_be_sent_stops_the_start(tmp_path, name, value):
    done = run("check", cwd=tmp_path, NGSHARE_DATA=str(tmp_path), **{**MAIL, name: value})
    assert done.returncode == 1 and name in done.stderr and done.stderr.count("\n") == 1
    assert "secret" not in done.stderr and "se%2Fcret" not in done.stderr
