"""A disk that is full, read-only, or out of file handles in the middle of a rush; afterwards everything goes on."""

import contextlib
import resource
import subprocess
import time

import pytest

from tests import servers
from tests.faults.rush import rush_of

pytestmark = pytest.mark.faults

DURATION = 2  # seconds of a fault


class SmallDisk:
    """A file system of its own, in memory."""

    def __init__(self, folder, size):
        self.folder = folder
        folder.mkdir(parents=True)
        mount("-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", folder)

    def grow(self, size):
        mount("-o", f"remount,size={size}", self.folder)

    def fill(self):
        with contextlib.suppress(OSError), (self.folder / "filler").open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass

    def empty(self):
        (self.folder / "filler").unlink()

    def set_writable(self, writable):
        """Whoever has a file open to write keeps a disk writable: try again."""
        servers.wait_until(lambda: not mount("-o", f"remount,{'rw' if writable else 'ro'}", self.folder, check=False))


def mount(*arguments, check=True):
    return subprocess.run(["mount", *map(str, arguments)], check=check, capture_output=True).returncode


@pytest.fixture
def small_disk(tmp_path):
    """Mounts file systems below the test's folder."""
    mounted = []

    def begin(name, size="64m"):
        mounted.append(SmallDisk(tmp_path / name, size))
        return mounted[-1]

    yield begin
    for disk in reversed(mounted):
        subprocess.run(["umount", "--lazy", disk.folder], check=True)


def rush_on_full(disk, service):
    """The disk is full for a while in the middle of a rush."""
    with rush_of([service.url]) as rush:
        disk.fill()
        rush.wait_until_seen("507", DURATION)
        disk.empty()


def test_full_disk_of_the_files(small_disk, supervise):
    disk = small_disk("data/blobs")
    service = supervise()
    rush_on_full(disk, service)


def test_full_disk_of_the_database(small_disk, supervise):
    disk = small_disk("data")
    small_disk("data/blobs")
    service = supervise()
    rush_on_full(disk, service)


def test_full_disk_where_uploads_wait_for_an_object_store(small_disk, supervise):
    with servers.s3() as store:
        disk = small_disk("data/staging")
        service = supervise(NGSHARE_STORAGE=store)
        rush_on_full(disk, service)


def test_read_only_files(small_disk, supervise):
    disk = small_disk("data/blobs")
    service = supervise()
    with rush_of([service.url]) as rush:
        disk.set_writable(False)
        rush.wait_until_seen("503", DURATION)
        disk.set_writable(True)


def test_out_of_file_handles(supervise):
    service = supervise()
    with rush_of([service.url]) as rush:
        set_handles(service.pids()[1:], 14)
        time.sleep(DURATION)
        servers.wait_until(lambda: rush.seen.total() > rush.seen["201"] + rush.seen["200"])
        set_handles(service.pids()[1:], 1024)


def set_handles(pids, number):
    """Change how many files and connections processes may have open. Those that ended meanwhile do not matter."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (number, 1024))
