"""Disks: small file systems of a service's own, filled by a ballast file and freed again."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path

from tests.faults.harness.declarations import NotRunError

_BALLAST = "ballast"


class Disk:
    """A tmpfs; needs root.

    Args:
        folder: Where it is mounted.
        megabytes: Its size.
    """

    def __init__(self, folder: Path, megabytes: int = 512) -> None:
        self.folder = folder
        self._size = megabytes
        self._ballast = folder / _BALLAST

    def mount(self) -> None:
        """Mount it, empty.

        Raises:
            NotRunError: this machine does not allow it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        options = f"size={self._size}m,mode=755"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder)],
            check=False,
            capture_output=True,
        )
        if done.returncode != 0:
            raise NotRunError("mount")

    def unmount(self) -> None:
        """Unmount it; what still has files open there loses them with its end."""
        subprocess.run(["umount", "-l", str(self.folder)], check=False, capture_output=True)

    @property
    def free_kb(self) -> int:
        """Kilobytes that can still be written."""
        return shutil.disk_usage(self.folder).free // 1024

    def fill(self, leave_kb: int = 0) -> None:
        """Lay the ballast: only so many kilobytes are left, or fewer where others write, too."""
        with self._ballast.open("ab") as file:
            while (size := (self.free_kb - leave_kb) * 1024) > 0:
                try:
                    os.posix_fallocate(file.fileno(), file.tell(), size)
                except OSError as error:
                    # What was free a moment ago somebody else has by now.
                    if error.errno != errno.ENOSPC:
                        raise
                else:
                    return

    def free(self) -> None:
        """Take the ballast away."""
        self._ballast.unlink(missing_ok=True)
