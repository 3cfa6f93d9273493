"""The count of ansible-test's own words; a test that it left out is no pass."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_test._internal.python_requirements import get_venv_packages

from holdfast.suite import sanity

# Recorded from ansible-test of ansible-core 2.19, shortened.
GOOD = """\
WARNING: Using locale "C.UTF-8" instead of "en_US.UTF-8". Tests which depend on the locale may behave unexpectedly.
Running sanity test "action-plugin-docs"
Installing requirements for Python 3.11 [venv]
Running sanity test "ansible-doc"
Running sanity test "import" on Python 3.11
"""
BAD = GOOD + """\
ERROR: Found 1 ansible-doc issue(s) which need to be resolved:
ERROR: plugins/modules/x.py:0:0: no documentation
FATAL: The 2 sanity test(s) listed below (out of 3) failed. See error output above for details.
ansible-doc
import --python 3.11
"""
SKIPPED = GOOD + 'WARNING: Skipping sanity test "import" on Python 3.11 due to missing virtual environment support.\n'
NOTHING = GOOD + 'Running sanity test "shellcheck"\nNo tests applicable.\n'
BROKEN = 'FATAL: Python 3.11 at "/x" does not have pip available.\n'


@pytest.mark.parametrize(("output", "code", "passed", "failed"), [
    (GOOD, 0, 3, 0), (BAD, 1, 1, 2), (SKIPPED, 0, 2, 1), (NOTHING, 0, 3, 0),
    (GOOD + BROKEN, 1, 3, 1), (BROKEN, 1, 0, 1), ("", 0, 0, 0),
])
def test_counts(output: str, code: int, passed: int, failed: int) -> None:
    assert sanity.count(output, code) == (passed, failed)


def test_pip_keeps_this_users_settings() -> None:
    written = io.StringIO()
    sanity.pip_settings(":env:.index-url='https://index.example/50%/simple'\nglobal.find-links='/a\\n/b'\nnoise\n").write(written)
    assert written.getvalue().split() == ["[global]", "index-url", "=", "https://index.example/50%/simple", "find-links", "=",
                                          "/a", "/b"]


def test_the_home_has_the_script_that_ansible_test_would_fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sanity, "run", lambda argv, **options: "global.timeout='5'\n")
    home = sanity.make_home(tmp_path / "home")
    assert "ensurepip" in (home / ".ansible" / "test" / "cache" / "get_pip_24_2.py").read_text()
    assert "timeout = 5" in (home / ".config" / "pip" / "pip.conf").read_text()


def test_the_version_of_pip_is_the_one_that_ansible_test_asks_for() -> None:
    asked = get_venv_packages(SimpleNamespace(version="3.11"))["pip"]
    assert f"get_pip_{asked.replace('.', '_')}.py" == sanity.GET_PIP_NAME
