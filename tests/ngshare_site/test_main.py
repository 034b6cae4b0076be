"""The command line: what needs no data works anywhere and writes nothing; the rest says what it needs."""

import os
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from ngshare_site import __main__ as main
from ngshare_site import __version__
from tests.ngshare_site.commands import MANAGE, MODULE, run

# Nobody may write there, not even root, and nothing can be made below it.
READ_ONLY = Path("/proc")
pytestmark = pytest.mark.skipif(not READ_ONLY.exists(), reason="needs a folder that is read-only for everybody")


@pytest.fixture
def sealed(tmp_path):
    """An empty folder in which only root may write."""
    folder = tmp_path / "sealed"
    folder.mkdir(mode=0o555)
    return folder


@pytest.mark.parametrize("script", [pytest.param(MANAGE, marks=pytest.mark.wide), MODULE], ids=["manage.py", "module"])
def test_version_is_ngshares(sealed, script):
    done = run("--version", cwd=sealed, script=script)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"ngshare {__version__}\n", "")
    assert os.listdir(sealed) == []


@pytest.mark.wide
def test_version_needs_no_settings():
    assert run("version", cwd=READ_ONLY, NGSHARE_MAX_FILES="many").stdout == f"ngshare {__version__}\n"


@pytest.mark.parametrize("script", [MANAGE, pytest.param(MODULE, marks=pytest.mark.wide)], ids=["manage.py", "module"])
def test_help_lists_our_commands_first(sealed, script):
    done = run("help", cwd=sealed, script=script)
    assert done.returncode == 0 and os.listdir(sealed) == []
    ours, _, others = done.stdout.partition("Django's commands:")
    names = {name for name, app in get_commands().items() if app in main.OUR_APPS}
    assert {"serve", "check_hub", "sync_groups", "course_status", "import_roster", "sweep_blobs"} <= names
    for name in names:
        (line,) = [line for line in ours.splitlines() if line.split()[:1] == [name]]
        assert line.endswith(load_command_class(get_commands()[name], name).help)
    listed = others.replace(",", " ").split()
    assert {"migrate", "check", "help", "version"} <= set(listed)
    assert not names & set(listed)


def test_help_of_each_command_of_ours_is_one_line():
    for name, app in get_commands().items():
        if app in main.OUR_APPS:
            text = load_command_class(app, name).help
            assert text and "\n" not in text, name


@pytest.mark.wide
@pytest.mark.parametrize(
    "arguments",
    [("help",), (), ("help", "serve"), ("serve", "--help"), ("migrate", "-h"), ("check",), ("help", "--commands")],
    ids=" ".join,
)
def test_commands_without_data_write_nothing(sealed, arguments):
    done = run(*arguments, cwd=sealed)
    assert done.returncode == 0, done.stderr
    assert os.listdir(sealed) == []


@pytest.mark.wide
@pytest.mark.parametrize("command", ["help", "check"])
def test_commands_without_data_work_where_nobody_may_write(command):
    assert run(command, cwd=READ_ONLY).returncode == 0


@pytest.mark.wide
def test_check_hub_writes_nothing(sealed):
    done = run("check_hub", cwd=sealed, NGSHARE_STANDALONE="1")
    assert done.returncode == 1 and "there is no Hub" in done.stdout
    assert os.listdir(sealed) == []


@pytest.mark.wide
def test_unknown_command_makes_nothing(tmp_path):
    done = run("srve", cwd=tmp_path)
    assert done.returncode == 1 and "Did you mean serve?" in done.stderr
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("command", ["serve", pytest.param("migrate", marks=pytest.mark.wide)])
def test_forgotten_data_folder_is_one_sentence(command):
    done = run(command, cwd=READ_ONLY, NGSHARE_STANDALONE="1")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        "ngshare cannot start: NGSHARE_DATA: cannot keep data in /proc/ngshare-data ("
    )
    assert done.stderr.endswith("Set it to a folder that this user may write to.\n") and done.stderr.count("\n") == 2


def test_new_data_folder_in_an_accidental_place_is_told(tmp_path):
    done = run("migrate", "--verbosity=0", cwd=tmp_path)
    assert done.returncode == 0 and f"NGSHARE_DATA is not set: data is kept in {tmp_path}/ngshare-data" in done.stderr


NEED_DATA = {
    "course_status": ["x"],
    "sweep_blobs": [],
    "verify_blobs": [],
    "people": ["deactivate", "bob"],
    "import_roster": ["x", "x"],
    "export_roster": ["x"],
    "apply_courses": ["x"],
    "sync_groups": [],
    "backup": ["x"],
    "retire_courses": ["--older-than=1"],
    "export_course": ["x", "x"],
    "import_course": ["x"],
    "export_person": ["x", "x"],
    "import_ngshare": ["--database=x", "--storage=x"],
    "import_exchange_folder": ["x"],
    "clearsessions": [],
    "rotate_receipt_key": [],
    "trust_receipt_keys": ["x"],
    "send_notices": [],
}


def test_every_command_of_ours_is_in_the_table():
    ours = {name for name, app in get_commands().items() if app in main.OUR_APPS}
    assert ours - set(NEED_DATA) == {"serve", "check_hub", "restore"}


@pytest.mark.parametrize(
    "command", ["course_status", *(pytest.param(name, marks=pytest.mark.wide) for name in [*NEED_DATA][1:])]
)
def test_forgotten_data_folder_is_one_sentence_of_every_command_and_nothing_is_made(tmp_path, command):
    done = run(command, *NEED_DATA[command], cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        f"ngshare cannot start: NGSHARE_DATA is not set: there is no database {tmp_path}/ngshare-data/ngshare.sqlite3. "
        "Set it to that of the service; `ngshare migrate` makes a new one.\n"
    )
    assert os.listdir(tmp_path) == []


@pytest.mark.wide
@pytest.mark.parametrize("content", [b"", b"this is no database, and longer than the header of one" * 20])
def test_file_that_is_no_database_of_ours_is_one_sentence(tmp_path, content):
    (tmp_path / "ngshare.sqlite3").write_bytes(content)
    done = run("course_status", "x", cwd=tmp_path, NGSHARE_DATA=str(tmp_path))
    assert done.returncode == 1 and done.stderr.startswith("ngshare cannot start: NGSHARE_DATA: the database ")
    assert done.stderr.count("\n") == 1 and "ngshare_secret_key" not in os.listdir(tmp_path)


@pytest.mark.wide
@pytest.mark.parametrize("command", ["migrate", "course_status"])
def test_database_that_cannot_be_reached_is_one_sentence(tmp_path, command):
    address = "postgres://ngshare:not-shown@127.0.0.1:9/ngshare"
    done = run(
        command, *NEED_DATA.get(command, []), cwd=tmp_path, NGSHARE_DATA=str(tmp_path / "data"), DATABASE_URL=address
    )
    assert done.returncode == 1 and done.stderr.startswith("ngshare cannot start: DATABASE_URL: the database cannot be")
    assert done.stderr.count("\n") == 1 and "not-shown" not in done.stderr


@pytest.mark.wide
def test_data_folder_below_a_file_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    done = run("migrate", cwd=tmp_path, NGSHARE_DATA=str(tmp_path / "file" / "data"))
    assert done.returncode == 1 and "NGSHARE_DATA" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.wide
def test_data_folder_that_cannot_be_written_is_one_sentence():
    done = run("migrate", cwd=READ_ONLY, NGSHARE_DATA=str(READ_ONLY))
    assert done.returncode == 1 and "NGSHARE_DATA" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.wide
def test_command_with_data_makes_the_folder_for_its_owner_alone(tmp_path):
    done = run("migrate", "--verbosity=0", cwd=tmp_path, NGSHARE_DATA=str(tmp_path / "new" / "data"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "new" / "data").stat().st_mode & 0o077 == 0
    assert (tmp_path / "new" / "data" / "ngshare_secret_key").exists()
