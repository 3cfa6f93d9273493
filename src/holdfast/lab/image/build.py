"""Build one image: Debian's packages in, disk images and a kernel out.

Runs in mount and PID namespaces of its own (holdfast.lab.namespaces): whatever ends it, no mount and no process stays.
The steps are printed as "step: …" lines; the last other line is the reason when it fails.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.lab.command import environment, run
from holdfast.lab.errors import LabError
from holdfast.lab.image.archive import PrivateApt, archive_address
from holdfast.lab.jail import mount_jail, unmount_jail

KERNEL_SUITE = "sid"          # the newest User-Mode Linux that Debian has; 6.12 and older panic on CPUs with AMX
DISK_GIB = 8                  # apparent size of a node's system disk; it is sparse
POOL_MOUNT = "opt/holdfast-lab/pool"
# Cost time at boot and do nothing for a node of a lab.
MASKED_UNITS = (
    "systemd-binfmt.service", "ldconfig.service", "systemd-journal-catalog-update.service", "dev-hugepages.mount",
    "modprobe@drm.service", "modprobe@fuse.service", "modprobe@efi_pstore.service", "sys-fs-fuse-connections.mount",
    "getty@tty1.service", "apt-daily.timer", "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer", "e2scrub_all.timer", "e2scrub_reap.service", "fstrim.timer",
    "systemd-udev-load-credentials.service", "proc-sys-fs-binfmt_misc.automount", "systemd-tpm2-setup-early.service",
    "systemd-tpm2-setup.service", "systemd-firstboot.service", "systemd-machine-id-commit.service",
    "sshd-keygen.service", "systemd-networkd.service", "systemd-networkd.socket", "systemd-network-generator.service",
    "systemd-networkd-persistent-storage.service", "kmod-static-nodes.service", "systemd-tmpfiles-setup-dev-early.service",
)
NO_ROOT = "Unable to mount root fs"     # where a kernel without any disk must end: it came up and ran its drivers


@dataclass(frozen=True)
class Build:
    """The paths and choices of one build."""

    system: str
    release: str
    backend: str
    base: list[str]
    pool: list[str]
    directory: Path
    log: Path
    archives: Path

    @property
    def root(self) -> Path:
        return self.directory / "root"

    @property
    def runtime(self) -> Path:
        return self.directory / "runtime"

    def apt(self, suite: str) -> PrivateApt:
        suites = (suite,) if suite == KERNEL_SUITE else (suite, f"{suite}-updates")
        return PrivateApt(self.archives / suite, archive_address(), suites, self.log)


def step(text: str) -> None:
    print(f"step: {text}", flush=True)


def main() -> int:
    data: dict[str, Any] = json.loads(sys.argv[1])
    build = Build(**{**data, **{key: Path(data[key]) for key in ("directory", "log", "archives")}})
    try:
        carry_out(build)
    except LabError as error:
        print(error)
        return error.exit_code
    return 0


def carry_out(build: Build) -> None:
    """The whole build, in order. The manifest comes last: a folder with a manifest is complete."""
    build.runtime.mkdir()
    if build.backend == "uml":
        step("fetching the User-Mode Linux kernel")
        kernel = fetch_uml_kernel(build)
        step(f"checking that kernel {kernel} boots on this processor")
        probe_uml_kernel(build, kernel)
    step(f"bootstrapping Debian {build.release}")
    bootstrap(build)
    step("fitting the system out for the lab")
    if build.backend == "uml":
        install_uml_modules(build)
    else:
        kernel = take_distribution_kernel(build)
    fit_out(build)
    step("filling the nodes' package source")
    count = fill_pool(build)
    step("writing the disk images")
    size = make_disk(build.root, build.directory / "disk.img", DISK_GIB * 1024)
    shutil.rmtree(build.root)
    manifest = {"system": build.system, "backend": build.backend, "kernel": kernel, "pool_packages": count,
                "disk_mib": size}
    (build.directory / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def fetch_uml_kernel(build: Build) -> str:
    """Put the kernel, the two libraries it is linked with and libeatmydata into the runtime folder; return its version."""
    apt = build.apt(KERNEL_SUITE)
    apt.update()
    version = apt.candidate("user-mode-linux")
    unpacked = build.directory / "uml"
    kernel, *libraries = apt.download("user-mode-linux", "libc6", "libgcc-s1", "libeatmydata1")
    run(["dpkg-deb", "-x", str(kernel), str(unpacked)], log=build.log)
    for library in libraries:
        run(["dpkg-deb", "-x", str(library), str(build.runtime)], log=build.log)
    shutil.copy2(unpacked / "usr/bin/linux.uml", build.runtime / "linux.uml")
    for link in ("lib", "lib64"):
        (build.runtime / link).symlink_to(f"usr/{link}")
    # Mount points for the supervisor; the kernel crashes at boot where its HOME does not exist.
    for place in ("proc", "dev", "tmp", "root", "lab", "image"):
        (build.runtime / place).mkdir()
    keep_syncs_from_host(build.runtime)
    return version


def keep_syncs_from_host(runtime: Path) -> None:
    """Let a node's flushes end in the host's memory, which outlives the node: a power cut of a node ends one process.

    Otherwise a node waits for whatever the host's disk is busy with. Measured beside one big writer: a write of 8 KiB took
    up to 0.34 s with a sync and up to 0.014 s without.
    """
    library = next((runtime / "usr/lib").glob("*/libeatmydata.so"))
    (runtime / "etc").mkdir(exist_ok=True)
    (runtime / "etc/ld.so.preload").write_text(f"/{library.relative_to(runtime)}\n")


def probe_uml_kernel(build: Build, version: str) -> None:
    """Boot the kernel without a disk: it must come up as far as asking for one."""
    mount_jail(build.runtime)
    argv = ["chroot", str(build.runtime), "/linux.uml", "mem=64M", "con=null", "con0=fd:0,fd:1", "seccomp=on",
            "noreboot", "uml_dir=/tmp"]
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False,
                              env=environment(HOME="/root"))
        output = done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as late:
        output = (late.stdout or b"").decode(errors="replace")
    finally:
        unmount_jail(build.runtime)
    with build.log.open("a") as log:
        log.write(output)
    if NO_ROOT not in output and "Cannot open root device" not in output:
        raise LabError(f"User-Mode Linux {version}, the newest in Debian's archive, does not boot on this machine's "
                       "processor; use the other backend: --backend qemu")


def bootstrap(build: Build) -> None:
    mirror = archive_address()
    packages = [*build.base, *(["linux-image-cloud-amd64", "initramfs-tools"] if build.backend == "qemu" else [])]
    # A power cut in the middle of an installation may cost the node's disk; waiting for each file costs every installation.
    dpkg_options = ["--dpkgopt=force-unsafe-io",
                    *(f"--dpkgopt=path-exclude=/usr/share/{part}/*" for part in ("doc", "man", "locale", "info"))]
    run(["mmdebstrap", "--mode=root", "--variant=minbase", f"--include={','.join(packages)}", "--format=directory",
         '--aptopt=APT::Install-Recommends "false"', '--aptopt=Acquire::Languages "none"', *dpkg_options, build.release,
         str(build.root), f"deb {mirror} {build.release} main", f"deb {mirror} {build.release}-updates main"],
        timeout_seconds=1200, log=build.log, TMPDIR=str(build.directory))


def install_uml_modules(build: Build) -> None:
    modules = build.root / "usr/lib/modules"
    modules.mkdir(exist_ok=True)
    source = next((build.directory / "uml/usr/lib/uml/modules").iterdir())
    shutil.copytree(source, modules / source.name, symlinks=True,
                    ignore=shutil.ignore_patterns("sound", "wireless", "bluetooth", "media"))
    run(["chroot", str(build.root), "depmod", source.name], log=build.log)
    shutil.rmtree(build.directory / "uml")


def take_distribution_kernel(build: Build) -> str:
    """QEMU boots the distribution's cloud kernel with its initrd directly; return its version."""
    kernel = max((build.root / "boot").glob("vmlinuz-*"))
    version = kernel.name.removeprefix("vmlinuz-")
    shutil.copy2(kernel, build.runtime / "vmlinuz")
    shutil.copy2(build.root / f"boot/initrd.img-{version}", build.runtime / "initrd.img")
    return version


def fit_out(build: Build) -> None:
    """Guest files, trimmed boot, no identity: that comes from each node's seed disk."""
    root, guest = build.root, Path(__file__).parents[1] / "guest"
    system = root / "etc/systemd/system"
    place(guest / "holdfast-lab-identity", root / "usr/lib/holdfast-lab/identity", mode=0o755)
    place(guest / "holdfast-lab-identity.service", system / "holdfast-lab-identity.service")
    place(guest / "holdfast-lab-bell", root / "usr/lib/holdfast-lab/bell", mode=0o755)
    place(guest / "holdfast-lab-bell.service", system / "holdfast-lab-bell.service")
    place(guest / "udev-trigger.conf", system / "systemd-udev-trigger.service.d/lab.conf")
    place(guest / "console-login.conf", system / "console-getty.service.d/lab.conf")
    run(["chroot", str(root), "systemctl", "enable", "holdfast-lab-identity.service", "holdfast-lab-bell.service",
         "console-getty.service"])
    run(["chroot", str(root), "systemctl", "set-default", "multi-user.target"])
    for unit in MASKED_UNITS:
        (system / unit).unlink(missing_ok=True)
        (system / unit).symlink_to("/dev/null")
    # Not at boot, but still there when somebody asks for it (systemctl reboot does, over D-Bus).
    wants = system / "multi-user.target.wants"
    wants.mkdir(exist_ok=True)
    (wants / "systemd-logind.service").symlink_to("/dev/null")
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    # Without persistent journal a crash would leave no log of its own.
    (root / "var/log/journal").mkdir(exist_ok=True)
    place(guest / "sshd.conf", root / "etc/ssh/sshd_config.d/lab.conf")
    # The machine id comes from the kernel command line; an empty file is no "first boot" (machine-id(5)).
    (root / "etc/machine-id").write_text("")
    (root / "etc/default/locale").write_text("LANG=C.UTF-8\n")
    generators = root / "etc/systemd/system-generators"
    generators.mkdir(parents=True, exist_ok=True)
    (generators / "systemd-ssh-generator").symlink_to("/dev/null")
    (root / "etc/fstab").write_text("")
    (root / POOL_MOUNT).mkdir(parents=True)


def place(source: Path, target: Path, mode: int = 0o644) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(mode)


def fill_pool(build: Build) -> int:
    """Download the pool's packages with all dependencies, make an apt source of them, and let the image's apt read it."""
    apt = build.apt(build.release)
    apt.update()
    packages = apt.download_with_dependencies(build.pool, build.root / "var/lib/dpkg/status")
    pool = build.root / POOL_MOUNT
    records = []
    for package in packages:
        shutil.copyfile(package, pool / package.name)
        digest = hashlib.sha256(package.read_bytes()).hexdigest()
        records.append(f"{apt.record(package)}\nFilename: ./{package.name}\nSize: {package.stat().st_size}\n"
                       f"SHA256: {digest}\n")
    index = "\n".join(records)
    (pool / "Packages").write_text(index)
    (pool / "Release").write_text(f"Origin: Holdfast lab\nSuite: lab\nSHA256:\n "
                                  f"{hashlib.sha256(index.encode()).hexdigest()} {len(index.encode())} Packages\n")
    sources = build.root / "etc/apt/sources.list"
    # Every package was verified against Debian's keyring when it was fetched; the disk is read-only in the nodes.
    sources.write_text(f"deb [trusted=yes] file:/{POOL_MOUNT} ./\n")
    run(["chroot", str(build.root), "apt-get", "update"], log=build.log)
    make_disk(pool, build.directory / "pool.img", 64)
    for entry in pool.iterdir():
        entry.unlink()
    # Files under /usr look newer than /etc after the bootstrap; systemd would redo its first-boot work on every node.
    for mark in ("etc/.updated", "var/.updated"):
        (build.root / mark).touch()
    return len(packages)


def make_disk(source: Path, target: Path, minimum_mib: int) -> int:
    """An ext4 disk image with the content of `source`; returns its size in MiB."""
    used = sum(path.lstat().st_size for path in source.rglob("*") if not path.is_symlink()) // (1024 * 1024)
    size = max(minimum_mib, used + used // 8 + 64)
    with target.open("wb") as handle:
        handle.truncate(size * 1024 * 1024)
    run(["mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=0", "-d", str(source), str(target)],
        timeout_seconds=300)
    return size


if __name__ == "__main__":
    sys.exit(main())
