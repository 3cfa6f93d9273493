"""The driver's files are in place before it is loaded, with the parameters that it is given."""

from __future__ import annotations

from ansible_collections.holdfast.cluster.plugins.modules.site_watchdog import build_files, build_parts


def test_files_of_a_driver():
    files = build_files("softdog", "soft_margin=5 nowayout=0")
    assert files["/etc/modules-load.d/holdfast-watchdog.conf"]["content"] == "softdog\n"
    assert files["/etc/modprobe.d/holdfast-watchdog.conf"]["content"] == "options softdog soft_margin=5 nowayout=0\n"
    assert build_files("ipmi_watchdog", "")["/etc/modprobe.d/holdfast-watchdog.conf"]["content"] == "options ipmi_watchdog\n"


def test_files_come_before_the_device():
    params = {"driver": "softdog", "options": "", "device": "/dev/watchdog", "identity": "Software Watchdog"}
    assert list(build_parts(params, False)) == ["files", "device"]
