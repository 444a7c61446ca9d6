"""This disk alone: what one append and its fdatasync cost in a folder."""
import os
import time


def syncs(folder, size, count=300):
    """Seconds of each of so many appends of `size` bytes with fdatasync, in a file of its own."""
    path = folder / "sync.probe"
    block = os.urandom(size)
    out = []
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        for _ in range(count):
            begun = time.perf_counter()
            os.write(file, block)
            os.fdatasync(file)
            out.append(time.perf_counter() - begun)
    finally:
        os.close(file)
        path.unlink()
    return out


def forget(folder):
    """Asks the kernel to drop a folder's files from its cache, so that they are read from disk."""
    for path in folder.rglob("*"):
        if path.is_file():
            file = os.open(path, os.O_RDONLY)
            try:
                os.fdatasync(file)
                os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(file)
