"""Read a file that an evalset names, and only from inside the evalset's folder."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

from workbench.errors import ConfigError, Problem

MAX_BYTES = 1_000_000


def read_inside(folder: Path, name: str, field: str) -> str:
    """Return the UTF-8 text of `folder/name` without a byte-order mark and with `\\n` line ends.

    Raises `ConfigError` when the path is absolute, climbs out (`..` or a link), is not a file, or is not UTF-8 text.
    """
    path = _inside(folder, name, field)
    try:
        raw = path.read_bytes() if path.stat().st_size <= MAX_BYTES else None
    except OSError as exc:
        raise _error("FILE_UNREADABLE", f"cannot read {name}: {exc.strerror}", field, path, "check the path") from exc
    if raw is None:
        raise _error("FILE_TOO_LARGE", f"{name} is larger than {MAX_BYTES} bytes", field, path, "name a smaller file")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise _error("NOT_UTF8", f"byte {exc.start} is not UTF-8", field, path, "save the file as UTF-8") from exc
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _inside(folder: Path, name: str, field: str) -> Path:
    """Return the path if it stays inside the folder, links followed."""
    windows = PureWindowsPath(name)
    parts = PurePosixPath(name).parts + windows.parts
    outside = PurePosixPath(name).is_absolute() or windows.is_absolute() or windows.drive or ".." in parts
    if not name.strip() or "\0" in name or outside:
        problem = Problem("PATH_OUTSIDE", "path leaves the evalset's folder", "", None, field, name,
                          "give a path below the folder, such as rubrics/correct.md")  # fmt: skip
        raise ConfigError(problem)
    path = folder / name
    try:
        resolved, root = path.resolve(), folder.resolve()
        is_file = resolved.is_file()
    except (OSError, RuntimeError) as exc:  # a loop of links, a name too long for the file system
        raise _error("FILE_UNREADABLE", f"cannot read {name[:120]}: {exc}", field, folder, "check the path") from exc
    if not resolved.is_relative_to(root):
        raise _error("PATH_OUTSIDE", f"{name} is a link out of the evalset's folder", field, folder, "copy the file")
    if not is_file:
        raise _error("FILE_MISSING", f"there is no file {name}", field, folder, "check the path")
    return resolved


def _error(code: str, message: str, field: str, path: Path, fix: str) -> ConfigError:
    """Return the error for one file."""
    return ConfigError(Problem(code, message, str(path), None, field, None, fix))
