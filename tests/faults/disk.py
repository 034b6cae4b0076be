"""What a power cut would take, read from a trace of system calls (strace): bytes that were written and not yet synced,
and names of files and folders whose folder was not synced since."""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath

STRACE = [
    "strace", "--follow-forks", "--decode-fds=path", "--string-limit=40", "--quiet=all", "--signal=none",
    "--trace=openat,open,creat,write,writev,pwrite64,pwritev,ftruncate,rename,renameat,renameat2,mkdir,mkdirat,link,linkat,unlink,unlinkat,"
    "fsync,fdatasync,sendto,sendmsg",
]  # fmt: skip
LINE = re.compile(r"^(?P<pid>\d+)\s+(?P<rest>.*)$")
CALL = re.compile(r"^(?P<name>\w+)\((?P<arguments>.*?)\)?\s*= (?P<result>-?\d+).*$")
FD = re.compile(r"^(?:AT_FDCWD|\d+)<(?P<path>[^>]*)>")
TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
ACKNOWLEDGED = re.compile(r'"HTTP/1\.1 20[01]')


def calls(lines: Iterable[str]) -> Iterator[tuple[str, str, int | None]]:
    """Yield (name, arguments, result) of each call.

    One that took a while comes twice: when it begins, with None, and when it ends.
    """
    begun: dict[str, str] = {}
    for line in lines:
        found = LINE.match(line)
        if not found:
            continue
        pid, rest = found["pid"], found["rest"]
        if rest.endswith("<unfinished ...>"):
            begun[pid] = rest.removesuffix("<unfinished ...>").rstrip()
            name, _, arguments = begun[pid].partition("(")
            yield name, arguments, None
            continue
        if resumed := re.match(r"^<\.\.\. \w+ resumed>", rest):
            rest = begun.pop(pid, "") + rest[resumed.end() :]
        if call := CALL.match(rest):
            yield call["name"], call["arguments"], int(call["result"])


class Disk:
    """Follows the calls on one folder of paths that matter."""

    def __init__(self, matters: Callable[[str], bool]) -> None:
        self.matters = matters
        self.known: set[str] = set()
        self.unsynced: set[str] = set()  # files whose bytes a power cut may take
        self.unnamed: set[str] = set()  # files and folders whose name it may take
        self.synced: set[str] = set()  # every path that was ever synced
        self.answers = 0
        self.losses: list[tuple[int, list[str]]] = []  # the number of an answer, and what could be lost after it

    def follow(self, lines: Iterable[str]) -> "Disk":
        for name, arguments, result in calls(lines):
            self._note(name, arguments, result)
        return self

    def _note(self, name: str, arguments: str, result: int | None) -> None:
        paths = [part for part in TEXT.findall(arguments) if part.startswith("/")]
        file = FD.match(arguments)
        path = file["path"] if file else ""
        if name in ("sendto", "sendmsg"):
            if ACKNOWLEDGED.search(arguments):
                self._answer()
        elif name in ("write", "writev", "pwrite64", "pwritev", "ftruncate"):
            self.unsynced.add(path)
        elif name in ("fsync", "fdatasync"):
            if result == 0:
                self.synced.add(path)
                self.unsynced.discard(path)
                self.unnamed = {one for one in self.unnamed if str(PurePosixPath(one).parent) != path}
        elif result is not None and result >= 0 and paths:
            if name.startswith("rename"):
                source, target = paths
                if source in self.unsynced:
                    self.unsynced.discard(source)
                    self.unsynced.add(target)
                self.unnamed.discard(source)
                self.known.add(target)
                self.unnamed.add(target)
            elif name.startswith("link"):
                source, target = paths
                self.unnamed.add(target)
                if source in self.unsynced:
                    self.unsynced.add(target)
            elif name.startswith("unlink"):
                self.known.discard(paths[0])
                self.unsynced.discard(paths[0])
                self.unnamed.discard(paths[0])
            elif name.startswith("mkdir") or "O_CREAT" in arguments:
                if paths[0] not in self.known:
                    self.known.add(paths[0])
                    self.unnamed.add(paths[0])

    def _answer(self) -> None:
        self.answers += 1
        if lost := sorted(path for path in self.unsynced | self.unnamed if self.matters(path)):
            self.losses.append((self.answers, lost))
