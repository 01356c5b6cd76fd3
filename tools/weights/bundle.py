"""A model's directory made of files that are elsewhere, without a second copy where that can be."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path


def bundle(tree: Path, files: Mapping[str, str], output: Path) -> None:
    """Fills a directory with hard links, or copies where the file system allows no link.

    Args:
        tree: A directory whose files become files of the output.
        files: Name in the output to path of each further file.
        output: The directory; made where missing.
    """
    output.mkdir(parents=True, exist_ok=True)
    for path in sorted(tree.iterdir()):
        link_or_copy(path, output / path.name)
    for name, path in files.items():
        (output / name).parent.mkdir(parents=True, exist_ok=True)
        link_or_copy(Path(path), output / name)


def link_or_copy(source: Path, target: Path) -> bool:
    """Puts the file ``source`` at ``target``; returns True for a hard link, False for a copy.

    Raises:
        FileExistsError: There is a file already. A copy would write into whatever it is a link to.
    """
    real = os.path.realpath(source)
    try:
        os.link(real, target)
    except FileExistsError:
        raise
    except OSError:
        # Another file system, one without hard links, or a file of another user.
        shutil.copyfile(real, target)
        return False
    return True
