"""The rules and limits for manifests, and the digest."""

import pytest

from courses.errors import TooLarge
from exchange.storage import manifests
from exchange.storage.manifests import ManifestEntry
from tests import cast
from tests.cast import PS1, WORK

NOTEBOOK = cast.sha256(WORK["ps1.ipynb"])  # in bob's submission alone
RELEASED = cast.sha256(PS1["ps1.ipynb"])  # in the release alone
ZEROS, ONES = "0" * 64, "1" * 64


def test_digest_covers_order_paths_hashes_and_sizes():
    a, b = ManifestEntry("a", ZEROS, 1), ManifestEntry("b", ONES, 2)
    different = [[], [a], [b], [a, b], [b, a], [ManifestEntry("a", ZEROS, 2)], [ManifestEntry("é", ZEROS, 1)]]
    assert len({manifests.digest(manifest) for manifest in different}) == len(different)


@pytest.mark.parametrize("sha256", ["", "x" * 64, "A" * 64, "0" * 63, "0" * 65])
def test_what_is_not_a_hash_is_refused(sha256):
    with pytest.raises(manifests.BadManifest, match="hexadecimal"):
        manifests.check_manifest([ManifestEntry("a", sha256, 1)])


@pytest.mark.parametrize("size", [-1, 2**63])
def test_impossible_size_is_refused(size):
    with pytest.raises(manifests.BadManifest, match="number of bytes"):
        manifests.check_manifest([ManifestEntry("a", ZEROS, size)])


def test_hash_with_two_sizes_is_refused():
    with pytest.raises(manifests.BadManifest, match="two sizes"):
        manifests.check_manifest([ManifestEntry("a", ZEROS, 1), ManifestEntry("b", ZEROS, 2)])


@pytest.mark.parametrize("names", [["../a"], ["a", "A"]])
def test_paths_obey_the_rule_together(names):
    with pytest.raises(manifests.BadPath):
        manifests.check_manifest([ManifestEntry(name, ZEROS, 1) for name in names])


def test_limits_may_be_reached_and_not_passed(settings):
    settings.NGSHARE_MAX_FILES, settings.NGSHARE_MAX_FILE_SIZE, settings.NGSHARE_MAX_SUBMISSION_SIZE = 2, 10, 15
    manifests.check_manifest([])
    manifests.check_manifest([ManifestEntry("a", ZEROS, 10), ManifestEntry("b", ONES, 5)])
    with pytest.raises(manifests.TooManyFiles, match="Your folder has 3 files, the limit is 2."):
        manifests.check_manifest([ManifestEntry(name, ZEROS, 1) for name in "abc"])
    with pytest.raises(TooLarge, match="a is 11 bytes, the limit for one file is 10 bytes"):
        manifests.check_manifest([ManifestEntry("a", ZEROS, 11)])
    with pytest.raises(TooLarge, match="Your folder is 16 bytes, the limit is 15 bytes; the largest file is a"):
        manifests.check_manifest([ManifestEntry("a", ZEROS, 10), ManifestEntry("b", ONES, 6)])
