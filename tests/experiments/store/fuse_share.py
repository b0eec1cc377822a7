"""A real mount of type fuse.sshfs: an empty folder whose files are nowhere.

`python -m tests.experiments.store.fuse_share FOLDER` mounts it in a namespace of its
own, which nobody else sees and which ends with the process, and tries to open a trial
log there. It prints what the kernel's table and `open_store` say. Without the rights:
exit status 77.
"""

import ctypes
import os
import struct
import sys
import threading
from pathlib import Path

_NEW_NAMESPACE, _PRIVATE, _RECURSIVE = 0x20000, 1 << 18, 1 << 14
_LOOKUP, _GETATTR, _FORGET, _INIT, _FORGET_MANY = 1, 3, 2, 26, 42
_NO_RIGHTS = 77


def response(device: int) -> None:
    """Speak the FUSE protocol, version 7.31, for a folder with nothing in it."""
    folder = struct.pack("<QQQQQQ10I", 1, *[0] * 8, 0o40755, 2, 0, 0, 0, 4096, 0)
    bodies = {
        _INIT: struct.pack(
            "<IIIIHHIIHH8I", 7, 31, 65536, 0, 12, 10, 65536, *[1] + [0] * 10
        ),
        _GETATTR: struct.pack("<QII", 1, 0, 0) + folder,
    }
    while True:
        _, kind, unique, _ = struct.unpack_from("<IIQQ", os.read(device, 1 << 18))
        if kind in (_FORGET, _FORGET_MANY):
            continue
        body = bodies.get(kind, b"")
        error = 0 if body else -2 if kind == _LOOKUP else -38  # ENOENT, ENOSYS
        os.write(device, struct.pack("<IiQ", 16 + len(body), error, unique) + body)


def mount(folder: str) -> bool:
    """Mount the share on a folder; give whether we may."""
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        device = os.open("/dev/fuse", os.O_RDWR)
    except OSError:
        return False
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0".encode()
    source, kind = b"ann@server:/data", b"fuse.sshfs"
    done = (
        libc.unshare(_NEW_NAMESPACE) == 0
        and libc.mount(b"none", b"/", None, _PRIVATE | _RECURSIVE, None) == 0
        and libc.mount(source, folder.encode(), kind, 0, options) == 0
    )
    if done:
        threading.Thread(target=response, args=[device], daemon=True).start()
    return done


if __name__ == "__main__":
    from yoked.experiments.store.local_disk import MOUNTINFO
    from yoked.experiments.store.sqlite import StoreError, open_store

    if not mount(sys.argv[1]):
        sys.exit(_NO_RIGHTS)
    print(*[x for x in MOUNTINFO.read_text().splitlines() if sys.argv[1] in x])
    try:
        open_store(Path(sys.argv[1]) / "results.db")
    except StoreError as error:
        print(error)
    sys.stdout.flush()
    os._exit(0)  # the kernel unmounts; the thread waits for nothing
