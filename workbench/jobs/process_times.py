"""When a process began, so that a number that was given to another one since is not taken for it."""

from __future__ import annotations

from pathlib import Path


def started_at(pid: int) -> str:
    """Return what tells a process from a later one of the same number: boot and clock ticks; empty where unknown.

    Field 22 of /proc/PID/stat (proc(5)); the name in field 2 may hold blanks and brackets, so the last `)` ends it.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""  # it is gone, or this system has no /proc
    return f"{boot}:{fields[19]}"
