"""Check mode on bare nodes: honest, and nothing is touched."""

from __future__ import annotations


def test_check_mode_says_what_would_be_made_and_makes_nothing(playbook, client1):
    done = playbook("playbooks/deploy_erp.yml", "--check", "--diff")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "tryton-erp.service" in done.stdout
    assert not client1.file("/etc/tryton").exists
