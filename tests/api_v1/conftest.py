import pytest


@pytest.fixture(autouse=True)
def standalone(settings):
    settings.NGSHARE_STANDALONE = True
    settings.NGSHARE_ADMINS = ["root"]
