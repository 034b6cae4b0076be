"""What the processes of a server use, from Linux's /proc."""

import os
from pathlib import Path


class Memory:
    """Of the processes of a server."""

    def __init__(self, leader):
        self.pids = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if self._is_of(pid, leader)]

    def forget_peak(self):
        for pid in self.pids:
            Path(f"/proc/{pid}/clear_refs").write_text("5")
        self.before = self._sum("VmRSS")

    def growth(self):
        return self._sum("VmHWM") - self.before

    def cpu_seconds(self):
        """What the processes have used since they started."""
        ticks = 0
        for pid in self.pids:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])  # proc(5): utime and stime
        return ticks / os.sysconf("SC_CLK_TCK")

    def _sum(self, name):
        lines = (line for pid in self.pids for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))

    @staticmethod
    def _is_of(pid, leader):
        try:
            return os.getpgid(pid) == leader
        except ProcessLookupError:
            return False
