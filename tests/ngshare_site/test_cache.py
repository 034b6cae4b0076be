"""Values in Redis are JSON, and nothing that is found there is run. A cache that fails is an empty one."""

import pickle

import pytest

from ngshare_site import cache
from ngshare_site.cache import JSONSerializer
from tests import servers


@pytest.mark.parametrize("value", [7, -1, True, None, "text", ["a"], {}, {"name": "bob", "groups": []}])
def test_values_come_back_as_they_were(value):
    written = JSONSerializer().dumps(value)
    assert JSONSerializer().loads(written if isinstance(written, bytes) else str(written).encode()) == value


def test_whole_numbers_stay_numbers_for_redis_to_count():
    assert JSONSerializer().dumps(3) == 3


def test_pickle_is_refused():
    with pytest.raises(ValueError):
        JSONSerializer().loads(pickle.dumps("run me"))


def unreachable_redis(tmp_path):
    return cache.ForgivingRedisCache(f"redis://127.0.0.1:{servers.free_port()}/0", {})


def unwritable_folder(tmp_path):
    made = cache.ForgivingFileCache(str(tmp_path / "cache"), {})
    (tmp_path / "cache").rmdir()
    (tmp_path / "cache").write_text("")
    return made


@pytest.mark.parametrize("make", [unreachable_redis, unwritable_folder])
def test_a_cache_that_fails_is_an_empty_one_and_is_left_alone_for_a_while(make, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(cache, "PAUSE", 600)
    monkeypatch.setattr(cache.Forgiving, "resume_at", 0.0)
    broken = make(tmp_path)
    assert broken.add("key", 1) is True
    broken.set("key", 1)
    assert broken.get("key", "nothing") == "nothing"
    assert len([record for record in caplog.records if "the cache failed" in record.message]) == 1


def test_a_cache_that_is_back_is_used_again(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "PAUSE", 0)
    monkeypatch.setattr(cache.Forgiving, "resume_at", 0.0)
    broken = unwritable_folder(tmp_path)
    broken.set("key", 1)
    (tmp_path / "cache").unlink()
    broken.set("key", 2)
    assert broken.get("key") == 2


def test_names_of_all_files_are_read_for_few_of_the_new_ones(tmp_path, monkeypatch):
    listed = []
    names = cache.ForgivingFileCache._list_cache_files
    monkeypatch.setattr(cache.ForgivingFileCache, "_list_cache_files", lambda self: listed.append(1) or names(self))
    files = cache.ForgivingFileCache(str(tmp_path), {})
    for number in range(3 * cache.WRITES_TO_CULL):
        files.set(str(number), number)
    assert len(listed) == 3


def test_files_stay_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "WRITES_TO_CULL", 10)
    files = cache.ForgivingFileCache(str(tmp_path), {"max_entries": 20})
    for number in range(200):
        files.set(str(number), number)
        assert len(list(tmp_path.iterdir())) <= 20 + cache.WRITES_TO_CULL
    assert files.get("199") == 199
