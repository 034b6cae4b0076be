import shutil

import pytest

from tests.exchange.importers.make_ngshare_database import KEPT


@pytest.fixture(autouse=True)
def standalone(settings):
    settings.NGSHARE_STANDALONE = True
    settings.NGSHARE_ADMINS = ["root"]


@pytest.fixture
def old(tmp_path):
    """A copy of what ngshare 0.6 made: `ngshare.db` and `files`."""
    return shutil.copytree(KEPT, tmp_path / "old")
