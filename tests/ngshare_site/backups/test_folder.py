"""The folder of backups."""

from ngshare_site.backups.folder import BackupFolder


def test_two_snapshots_of_one_second_have_names_of_their_own(tmp_path):
    folder = BackupFolder(tmp_path)
    with folder.locked():
        names = []
        for _ in range(2):
            snapshot = folder.start()
            finished = snapshot.path.rename(snapshot.path.with_name(snapshot.name.partition(".")[0]))
            names.append(finished.name)
    assert len(set(names)) == 2
