"""Which system a host runs, in the words of ansible.builtin.setup."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible.module_utils.facts.system.distribution import Distribution
from ansible_collections.holdfast.cluster.plugins.module_utils.errors import ParseError
from ansible_collections.holdfast.cluster.plugins.module_utils.system import parse_os_release

RECORDED = Path(__file__).parents[1] / "recorded"


@pytest.mark.parametrize(("file", "version"), [("os_release_debian_12.txt", "12"), ("os_release_debian_13.txt", "13")])
def test_debian(file, version):
    system = parse_os_release((RECORDED / file).read_text())
    assert system == {"distribution": "Debian", "distribution_major_version": version}
    assert system["distribution"] in Distribution.OS_FAMILY_MAP["Debian"]


@pytest.mark.parametrize("text", ["", "ID=debian\n", 'ID=debian\nVERSION_ID="\n'])
def test_a_file_that_does_not_tell_is_an_error(text):
    with pytest.raises(ParseError, match="VERSION_ID"):
        parse_os_release(text)


def test_only_the_part_before_the_point_counts():
    assert parse_os_release('ID="rocky"\nVERSION_ID="9.4"\n') == {"distribution": "rocky", "distribution_major_version": "9"}
