"""Network shares: found in what each system says, and refused with the way out."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests import ROOT
from yoked.app.cli import cli
from yoked.experiments.store import local_disk
from yoked.experiments.store.local_disk import (
    network_share,
    require_local_disk,
    share_in_mount_list,
    share_in_mountinfo,
    share_on_windows,
)
from yoked.experiments.store.sqlite import StoreError, open_store

LINUX = """\
22 29 0:20 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
29 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw,errors=remount-ro
97 29 0:43 / /home rw,relatime shared:50 - autofs systemd-1 rw,fd=29,pgrp=1,timeout=0
611 97 0:51 / /home rw,relatime shared:332 - nfs4 files:/export/home rw,vers=4.2,hard
245 29 0:48 / /mnt/lab\\040data rw,relatime shared:130 - cifs //server/lab rw,vers=3.1.1
246 245 259:9 / /mnt/lab\\040data/scratch rw - xfs /dev/sdb1 rw,attr2,inode64
300 29 0:60 / /srv/old rw,relatime - nfs files:/old rw,vers=3,addr=10.0.0.2
412 29 0:55 / /media/remote rw,nosuid,nodev shared:220 - fuse.sshfs ann@server:/d rw
413 29 8:17 / /media/stick rw,nosuid,nodev shared:221 - fuseblk /dev/sdb1 rw,allow_other
414 29 0:61 / /media/union rw - fuse.unionfs unionfs rw,user_id=0,group_id=0
415 29 0:62 / /mnt/cloud rw,nosuid - fuse.rclone drive: rw,user_id=1000,group_id=1000
63 29 0:38 / /mnt/c rw,noatime - 9p C:\\134 rw,dirsync,aname=drvfs;path=C:\\134;uid=1000
70 29 0:70 /data /mnt/bound rw,relatime master:3 - nfs4 files:/export rw,vers=4.2
71 29 0:71 / /mnt/späte\\012Zeile rw - smb3 //server/x rw
"""
MAC = """\
/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)
devfs on /dev (devfs, local, nobrowse)
/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled, nobrowse, protect)
map auto_home on /System/Volumes/Data/home (autofs, automounted, nobrowse)
//ann@server._smb._tcp.local/lab on /Volumes/lab (smbfs, nodev, nosuid, mounted by ann)
files:/export on /Volumes/export (1) (nfs, nodev, nosuid, mounted by ann)
ann@server:/data on /Volumes/remote (macfuse, nodev, nosuid, mounted by ann)
/dev/disk5s1 on /Volumes/STICK (exfat, local, nodev, nosuid, noowners)
ntfs-3g on /Volumes/WIN (macfuse, local, nodev, nosuid, mounted by ann)
"""


@pytest.mark.parametrize(
    ("place", "share"),
    [
        ("/srv/results.db", None),
        ("/home/ann/results.db", "nfs4"),  # mounted over autofs
        ("/homework/results.db", None),  # begins alike, and is another folder
        ("/mnt/lab data/results.db", "cifs"),
        ("/mnt/lab data/scratch/results.db", None),  # a disk mounted inside a share
        ("/mnt/lab data", "cifs"),
        ("/srv/old/a/b/c.db", "nfs"),
        ("/media/remote/results.db", "fuse.sshfs"),
        ("/media/stick/results.db", None),
        ("/media/union/results.db", None),
        ("/mnt/cloud/results.db", "fuse.rclone"),
        ("/mnt/c/Users/ann/results.db", "9p"),
        ("/mnt/bound/results.db", "nfs4"),
        ("/mnt/späte\nZeile/results.db", "smb3"),
    ],
)
def test_linux_says_what_is_mounted_where(place, share):
    assert share_in_mountinfo(LINUX, place) == share


@pytest.mark.parametrize(
    ("place", "share"),
    [
        ("/Users/ann/results.db", None),
        ("/Volumes/lab/results.db", "smbfs"),
        ("/Volumes/export (1)/results.db", "nfs"),
        ("/Volumes/remote/results.db", "fuse"),
        ("/Volumes/STICK/results.db", None),
        ("/Volumes/WIN/results.db", None),
    ],
)
def test_macos_says_what_is_mounted_where(place, share):
    assert share_in_mount_list(MAC, place) == share


@pytest.mark.parametrize(
    ("path", "share"),
    [
        (r"C:\Users\ann\results.db", None),
        (r"\\?\C:\Users\ann\results.db", None),
        (r"Z:\results.db", "mapped network drive"),
        (r"\\?\Z:\results.db", "mapped network drive"),
        (r"\\server\lab\results.db", "UNC path"),
        ("//server/lab/results.db", "UNC path"),
        (r"\\?\UNC\server\lab\results.db", "UNC path"),
        (r"\\wsl.localhost\Ubuntu\home\ann\results.db", "UNC path"),
    ],
)
def test_windows_says_what_a_drive_is(monkeypatch, path, share):
    types = {"C:\\": 3, "Z:\\": 4}  # DRIVE_FIXED, DRIVE_REMOTE
    monkeypatch.setattr(local_disk, "drive_type", types.__getitem__)
    assert share_on_windows(path) == share


@pytest.mark.parametrize("text", ["", "not a mount table", "1 2 3\n- \n1 2 - nfs"])
def test_a_table_that_says_nothing_counts_as_local(text):
    assert share_in_mountinfo(text, "/srv/results.db") is None
    assert share_in_mount_list(text, "/srv/results.db") is None


linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")


@pytest.fixture
def share(tmp_path, monkeypatch):
    """Return a folder that the mount table says is an NFS mount."""
    folder = tmp_path / "lab share"
    folder.mkdir()
    table = tmp_path / "mountinfo"
    escaped = str(folder.resolve()).replace(" ", "\\040")
    table.write_text(f"{LINUX}700 29 0:80 / {escaped} rw - nfs4 files:/lab rw\n")
    monkeypatch.setattr(local_disk, "MOUNTINFO", table)
    return folder


@linux
def test_a_log_on_a_share_is_refused_and_not_made(share):
    with pytest.raises(
        StoreError,
        match=r"must be on a local disk, got a network share \(nfs4\); record on this "
        "machine's own disk and bring the results together .* `yoked merge`",
    ):
        open_store(share / "results.db")
    assert list(share.iterdir()) == []


@linux
def test_a_link_to_a_share_is_refused(share, tmp_path):
    (tmp_path / "here").symlink_to(share)
    with pytest.raises(StoreError, match="got a network share"):
        open_store(tmp_path / "here" / "results.db")


@linux
def test_a_log_beside_the_share_is_made(share, tmp_path):
    open_store(tmp_path / "results.db").close()
    assert network_share(tmp_path / "results.db") is None


@linux
def test_a_log_on_a_share_can_be_read_and_merged_but_not_merged_into(share, tmp_path):
    open_store(tmp_path / "results.db").close()
    copy = share / "results.db"
    copy.write_bytes((tmp_path / "results.db").read_bytes())
    assert CliRunner().invoke(cli, ["sessions", str(copy)]).exit_code == 0
    from yoked.experiments.store.merge import merge

    assert merge(tmp_path / "all.db", [copy])[0].n_new == 0
    with pytest.raises(StoreError, match="got a network share"):
        merge(share / "all.db", [tmp_path / "results.db"])
    assert not (share / "all.db").exists()


@linux
def test_a_command_says_it_in_one_sentence(share):
    command = ["simulate", "bar-in-noise", "guesser", str(share / "results.db")]
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 1
    (sentence,) = result.stderr.splitlines()
    assert "must be on a local disk, got a network share (nfs4)" in sentence


@linux
def test_without_a_mount_table_a_place_counts_as_local(tmp_path, monkeypatch):
    monkeypatch.setattr(local_disk, "MOUNTINFO", tmp_path / "none")
    require_local_disk(tmp_path / "results.db")


@linux
def test_this_systems_own_table_is_understood():
    text = local_disk.MOUNTINFO.read_text(errors="surrogateescape")
    mounts = local_disk.mounts_in(text)
    assert len(mounts) == len(text.splitlines())
    assert "/" in dict(mounts)
    known = Path("/proc/filesystems").read_text().split()
    assert {kind.partition(".")[0] for _, kind in mounts} <= set(known)


@linux
def test_a_real_mount_is_seen(tmp_path):
    command = [
        sys.executable,
        "-m",
        "tests.experiments.store.fuse_share",
        str(tmp_path),
    ]
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=60, cwd=ROOT, check=False
    )
    if result.returncode == 77:
        pytest.skip("mounting a file system needs root and /dev/fuse")
    assert result.returncode == 0, result.stderr
    kernel, sentence = result.stdout.splitlines()
    assert " - fuse.sshfs ann@server:/data " in kernel
    assert "must be on a local disk, got a network share (fuse.sshfs)" in sentence
