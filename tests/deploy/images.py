"""Fixtures: the packages, and the images that are built of them without a network."""

import fcntl
import os
import shutil
import zlib
from contextlib import contextmanager

import pytest

from tests.deploy import engine
from tests.servers import ROOT

CHECKOUT = f"{zlib.crc32(bytes(ROOT)):08x}"  # several may be on one machine, and each has images of its own


@pytest.fixture(scope="session")
def sources(tmp_path_factory):
    """A copy of the sources, where `make packages` was run; one for all processes of a run."""
    own = tmp_path_factory.getbasetemp()
    run = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    copy = run / "sources"
    with once(run / "sources-are-there") as is_first:
        if is_first:
            shutil.rmtree(copy, ignore_errors=True)
            engine.copy_sources(copy)
            engine.make("packages", cwd=copy)
    return copy


@contextmanager
def once(mark):
    """True for the first process that gets here; the others wait until it is done. If it fails, the next is first."""
    with mark.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield not mark.exists()
        mark.touch()


def build(sources, base, *targets, **variables):
    """Build images on a base without a network, at the same time, and return their tag."""
    tag = f"test-{base.rpartition(':')[2]}-{CHECKOUT}"
    inside = [f"BASE={base}", f"TAG={tag}", *(f"{name}={value}" for name, value in variables.items())]
    with once(sources / f"{'-'.join(targets)}-{tag}") as is_first:
        if is_first:
            downloads = f"RUNFLAGS={engine.options_for_downloads()}"
            engine.make("-o", "packages", "wheelhouse", *inside, downloads, cwd=sources)
            engine.make("-j2", *targets, *inside, f"BUILDFLAGS={engine.offline()}", cwd=sources)
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
