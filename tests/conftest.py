"""What every test gets: a store and a cache of its own."""

import gc
import os
import uuid

import pytest
from django.core.cache import cache
from hypothesis import settings as hypothesis_settings

from tests.campus import campus  # noqa: F401  # one Hub for all end-to-end and browser tests

# The same examples in every run; fewer of them in `make quick`.
hypothesis_settings.register_profile("full", derandomize=True, database=None, deadline=None)
hypothesis_settings.register_profile("quick", hypothesis_settings.get_profile("full"), max_examples=15)
hypothesis_settings.load_profile("quick" if os.environ.get("NGSHARE_TEST_QUICK") == "1" else "full")


def pytest_collection_finish():
    """Spare the garbage collector the modules and the tests themselves: they stay until the end."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk():
    """Let fsync return at once: no test sees a power cut, and each blob would wait for the disk three times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(autouse=True)
def own_store(settings, tmp_path):
    """An empty store, so that a test sees only the bytes that it stored itself."""
    options = dict(settings.STORAGES["default"]["OPTIONS"])
    options["location"] = str(tmp_path / "blobs") if "bucket_name" not in options else uuid.uuid4().hex
    default = {**settings.STORAGES["default"], "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    settings.NGSHARE_STAGING = tmp_path / "staging"
    cache.clear()
