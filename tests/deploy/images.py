"""Fixtures: the packages, and the images that are built of them without a network."""

import pytest

from tests.deploy import engine


@pytest.fixture(scope="session")
def sources(tmp_path_factory):
    """A copy of the sources, where `make dist` was run."""
    copy = engine.copy_sources(tmp_path_factory.mktemp("sources"))
    engine.make("dist", cwd=copy)
    return copy


def build(sources, base, *targets, **variables):
    """Build images on a base without a network, and return their tag."""
    tag = "test-" + base.rpartition(":")[2]
    inside = [f"BASE={base}", f"TAG={tag}", *(f"{name}={value}" for name, value in variables.items())]
    engine.make("-o", "dist", "wheelhouse", *inside, f"RUNFLAGS={engine.options_for_downloads()}", cwd=sources)
    engine.make(*targets, *inside, f"BUILDFLAGS={engine.offline()}", cwd=sources)
    return tag


@pytest.fixture(scope="session")
def tag(sources):
    """The tag of the two images on the first base: the newest."""
    return build(sources, engine.bases()[0], "images")


@pytest.fixture(scope="session")
def service_image(tag):
    return f"ngshare-service:{tag}"


@pytest.fixture(scope="session")
def singleuser_image(tag):
    return f"ngshare-singleuser:{tag}"


@pytest.fixture(scope="session", params=range(len(engine.BASES or engine.SUITES)))
def each_service_image(request, sources, service_image):
    """The service's image on each base."""
    if request.param == 0:
        return service_image
    return f"ngshare-service:{build(sources, engine.bases()[request.param], 'image', FOR_USERS='')}"
