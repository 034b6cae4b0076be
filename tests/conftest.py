"""What every test gets: a store and a cache of its own."""

import uuid

import pytest
from django.core.cache import cache

from tests.campus import campus  # noqa: F401  # one Hub for all end-to-end and browser tests


@pytest.fixture(autouse=True)
def own_store(settings, tmp_path):
    """An empty store, so that a test sees only the bytes that it stored itself."""
    options = dict(settings.STORAGES["default"]["OPTIONS"])
    options["location"] = str(tmp_path / "blobs") if "bucket_name" not in options else uuid.uuid4().hex
    default = {**settings.STORAGES["default"], "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    settings.NGSHARE_STAGING = tmp_path / "staging"
    cache.clear()
