"""Values in Redis are JSON, and nothing that is found there is run."""

import pickle

import pytest

from ngshare_site.cache import JSONSerializer


@pytest.mark.parametrize("value", [7, -1, True, None, "text", ["a"], {}, {"name": "bob", "groups": []}])
def test_values_come_back_as_they_were(value):
    written = JSONSerializer().dumps(value)
    assert JSONSerializer().loads(written if isinstance(written, bytes) else str(written).encode()) == value


def test_whole_numbers_stay_numbers_for_redis_to_count():
    assert JSONSerializer().dumps(3) == 3


def test_pickle_is_refused():
    with pytest.raises(ValueError):
        JSONSerializer().loads(pickle.dumps("run me"))
