"""Read a file that an evalset names, and only from inside the evalset's folder."""

from __future__ import annotations

from pathlib import Path

from workbench.errors import ConfigError, Problem
from workbench.reading.paths import outside

MAX_BYTES = 1_000_000


def read_inside(folder: Path, name: str, field: str) -> str:
    """Return the UTF-8 text of `folder/name` without a byte-order mark and with `\\n` line ends.

    Raises `ConfigError` when the path leaves the folder (`reading.paths`), is not a file, or is not UTF-8 text.
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
    """Return the path of a file that lies inside the folder."""
    if why := outside(folder, name):
        fix = "name a file inside the evalset's folder, such as rubrics/correct.md"
        raise ConfigError(Problem("PATH_OUTSIDE", why, "", None, field, name, fix))
    path = (folder / name).resolve()
    if not path.is_file():
        raise _error("FILE_MISSING", f"there is no file {name}", field, folder, "check the path")
    return path


def _error(code: str, message: str, field: str, path: Path, fix: str) -> ConfigError:
    """Return the error for one file."""
    return ConfigError(Problem(code, message, str(path), None, field, None, fix))
