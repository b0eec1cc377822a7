"""A trial log is written on a local disk: what says where a path really is.

SQLite's write-ahead log lives in memory that all its processes share, which no network
file system has (https://www.sqlite.org/wal.html, section 1): two machines that write
one file damage it, and lock files over a network do not keep them apart.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from .trial_log import StoreError

MOUNTINFO = Path("/proc/self/mountinfo")
_DRIVE_REMOTE = 4  # of GetDriveTypeW

# Types of file systems whose files are on another machine, or on a disk that several
# machines share. 9p is how WSL sees the disks of its Windows, which has no memory in
# common with it either.
NETWORK_TYPES = frozenset(
    {
        "9p", "acfs", "afpfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs",
        "fhgfs", "ftp", "gfs2", "glusterfs", "gpfs", "lustre", "ncp", "ncpfs", "nfs",
        "nfs3", "nfs4", "ocfs2", "orangefs", "pvfs2", "smb3", "smbfs", "webdav",
    }
)  # fmt: skip
# The same, for "fuse.<name>"; other FUSE types (NTFS, encrypted folders) are local.
NETWORK_FUSE_TYPES = frozenset(
    {
        "blobfuse", "blobfuse2", "ceph", "ceph-fuse", "cosfs", "curlftpfs", "davfs",
        "davfs2", "gcsfuse", "glusterfs", "google-drive-ocamlfuse", "goofys",
        "gvfsd-fuse", "juicefs", "lizardfs", "mfs", "moosefs", "mount-s3", "nfs",
        "obsfs", "onedriver", "ossfs", "rclone", "s3fs", "seadrive", "smbnetfs",
        "sshfs",
    }
)  # fmt: skip
_MAC_LINE = re.compile(r".* on (?P<place>.+) \((?P<options>[^()]*)\)$")


def require_local_disk(path: str | Path) -> None:
    """Refuse a file on a network share, and say what to do instead.

    Raises
    ------
    StoreError
        If the file is, or would be, on a network share.
    """
    share = network_share(path)
    if share is not None:
        way = (
            "record on this machine's own disk and bring the results together "
            "afterwards with `yoked merge`"
        )
        rule = f"on a local disk, got a network share ({share})"
        raise StoreError(f"{str(path)!r} must be {rule}; {way}")


def network_share(path: str | Path) -> str | None:
    """Give the type of the network share that a path is on; None for a local disk.

    Where the system does not tell, the path counts as local.
    """
    if sys.platform == "win32":
        return share_on_windows(str(Path(path).absolute()))
    place = os.path.realpath(path)  # through links, to where the bytes are
    if sys.platform == "darwin":
        return share_in_mount_list(_mount_list(), place)
    try:
        # A name that is not UTF-8 must not hide the others.
        text = MOUNTINFO.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None
    return share_in_mountinfo(text, place)


def share_in_mountinfo(text: str, place: str) -> str | None:
    r"""Look a place up in Linux's /proc/self/mountinfo (proc(5), section 3.5).

    Examples
    --------
    >>> line = "36 25 0:31 / /mnt/lab\\040data rw shared:1 - nfs4 server:/lab rw"
    >>> share_in_mountinfo(line, "/mnt/lab data/results.db")
    'nfs4'
    """
    kind = _innermost(mounts_in(text), place)
    return kind if kind is not None and _is_network(kind) else None


def mounts_in(text: str) -> list[tuple[str, str]]:
    """Give (mount point, type of file system) of every line of a mountinfo."""
    mounts = []
    for line in text.split("\n"):  # a name may hold other line ends
        before, separator, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ")[0]
        if separator and len(fields) > 4:
            mounts.append((_unescaped(fields[4]), kind))
    return mounts


def share_in_mount_list(text: str, place: str) -> str | None:
    """Look a place up in what macOS's `mount` prints.

    Examples
    --------
    >>> line = "//ann@server/lab on /Volumes/lab (smbfs, nodev, nosuid, mounted by ann)"
    >>> share_in_mount_list(line, "/Volumes/lab/results.db")
    'smbfs'
    """
    mounts = []
    for line in text.splitlines():
        if found := _MAC_LINE.match(line):
            kind, *flags = found["options"].split(", ")
            # FUSE says only by the lack of "local" that the files are elsewhere.
            is_far_fuse = "fuse" in kind and "local" not in flags
            mounts.append((found["place"], "fuse.sshfs" if is_far_fuse else kind))
    kind = _innermost(mounts, place)
    if kind is None or not _is_network(kind):
        return None
    return "fuse" if kind == "fuse.sshfs" else kind


def share_on_windows(path: str) -> str | None:
    r"""Tell whether an absolute Windows path is on a share or a mapped network drive.

    Examples
    --------
    >>> share_on_windows(r"\\server\lab\results.db")
    'UNC path'
    """
    plain = path.replace("/", "\\")
    if plain.upper().startswith("\\\\?\\UNC\\"):
        return "UNC path"
    if plain.startswith(("\\\\?\\", "\\\\.\\")):
        plain = plain[4:]
    if plain.startswith("\\\\"):
        return "UNC path"
    is_drive = plain[1:2] == ":"
    return (
        "mapped network drive"
        if is_drive and drive_type(f"{plain[:2]}\\") == _DRIVE_REMOTE
        else None
    )


def drive_type(root: str) -> int:
    """Ask Windows what kind of drive a root is; 0, unknown, anywhere else."""
    if sys.platform != "win32":
        return 0
    import ctypes

    return ctypes.windll.kernel32.GetDriveTypeW(root)


def _is_network(kind: str) -> bool:
    return kind in NETWORK_TYPES or (
        kind.startswith("fuse.") and kind.removeprefix("fuse.") in NETWORK_FUSE_TYPES
    )


def _innermost(mounts: list[tuple[str, str]], place: str) -> str | None:
    """Give the type of the longest mount above a place; of equals, the last."""
    longest, kind = -1, None
    for mount, mounted in mounts:
        is_above = place == mount or place.startswith(mount.rstrip("/") + "/")
        if is_above and len(mount) >= longest:
            longest, kind = len(mount), mounted
    return kind


def _unescaped(text: str) -> str:
    """Undo the kernel's octal escapes of space, tab, newline, backslash and #."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)


def _mount_list() -> str:
    """Give what `mount` prints; nothing where it cannot be run."""
    try:
        return subprocess.run(
            ["/sbin/mount"],
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=10,
            check=False,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
