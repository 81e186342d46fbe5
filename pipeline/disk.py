"""What has to outlive a loss of power."""

import errno
import os
from pathlib import Path


def flush(path: Path) -> None:
    """Sees that the content of a file, or the names in a folder, are on the disk. Raises OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if not (path.is_dir() and error.errno in (errno.EINVAL, errno.ENOTSUP)):  # shares that can't flush a folder
            raise
    finally:
        os.close(handle)
