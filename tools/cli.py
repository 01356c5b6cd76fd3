"""What every command-line tool shares: the one-line error form, and how it writes files.

A tool's ``__main__.py`` is ``run(main)``. A mistake of the user is a `UserError`: its text is shown
as one ``error: ...`` line on stderr and the exit status is 1, without a traceback. Any other
exception is a bug of the tool and keeps its traceback.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn


class UserError(Exception):
    """A mistake in what the user wrote; ``str(e)`` is the line shown after ``error: ``.

    The form is ``<where>: <what is wrong>; <what is expected, or how to mend it>``. Several
    mistakes of one input may be joined by newlines: each is shown as an ``error: `` line.
    """


def run(main: Callable[[list[str]], int | None], argv: list[str] | None = None) -> NoReturn:
    """Calls ``main(argv)`` and exits with its status; shows a user's mistake in one line.

    An interrupt (Ctrl-C) is no bug either: the status is 130, as the shell has it.

    Args:
        main: Takes the arguments without the program's name; None counts as status 0.
        argv: The arguments; ``sys.argv[1:]`` where None.
    """
    try:
        status = main(sys.argv[1:] if argv is None else argv)
    except UserError as error:
        _fail(str(error))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        _fail(describe_os_error(error))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    sys.exit(status or 0)


def describe_os_error(error: OSError) -> str:
    """Returns ``<file>: <reason>`` where the error names a file, else the reason."""
    reason = error.strerror or str(error) or type(error).__name__
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        reason = f"{reason}; free some space and run again"
    # Of a file that is moved the user knows the place where it shall be.
    moved = error.filename2 is not None and error.errno != errno.ENOENT
    name = error.filename2 if moved else error.filename
    return f"{name}: {reason}" if name is not None else reason


def folder_problem(folder: Path) -> str | None:
    """Returns why no file can be made in ``folder``, or None; it need not be there yet."""
    found = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    if not found.is_dir():
        what = "a link to nowhere" if found.is_symlink() else "no folder"
        return f"{found} is {what}; expected a folder, or none yet"
    if not os.access(found, os.W_OK | os.X_OK):
        return f"{found} cannot be written; give another folder, or the right to write there"
    return None


def warn(message: str) -> None:
    """Shows a ``warning: `` line on stderr."""
    print(f"warning: {message}", file=sys.stderr)


@contextlib.contextmanager
def locked(path: Path, waiting: str) -> Iterator[None]:
    """Holds a lock; the system releases it, too, when the process is killed.

    Args:
        path: A file, made where missing, in a folder that is there; never through a link.
        waiting: The line that is shown on stderr while another process has the lock.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(waiting, file=sys.stderr, flush=True)
            fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Writes ``text`` as UTF-8 with ``\\n`` line ends, atomically (see `write_bytes`)."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Writes ``data`` to ``path`` so that no reader ever sees a part of it.

    The bytes go to a temporary name in the same directory, which is then renamed over ``path``;
    the directory is created where missing. An interrupted or failed write leaves ``path`` as it
    was.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(6)}.tmp")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_json(path: str | os.PathLike[str], value: Any, sort_keys: bool = True) -> None:
    """Writes ``value`` as JSON: indent 2, a trailing newline, atomically (see `write_bytes`).

    Args:
        path: The file to write.
        value: What ``json.dumps`` takes; NaN and Infinity are refused with ValueError.
        sort_keys: False where the order of the keys has a meaning to the reader.
    """
    write_text(path, json_text(value, sort_keys))


def json_text(value: Any, sort_keys: bool = True) -> str:
    """Returns the text that `write_json` writes: UTF-8 kept, indent 2, a trailing newline."""
    text = json.dumps(value, indent=2, sort_keys=sort_keys, ensure_ascii=False, allow_nan=False)
    return text + "\n"


def _fail(message: str) -> NoReturn:
    for line in message.splitlines() or ["unknown error"]:
        print(f"error: {line}", file=sys.stderr)
    sys.exit(1)
