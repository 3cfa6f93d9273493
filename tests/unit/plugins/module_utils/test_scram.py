"""Verifiers are those of PostgreSQL."""

from __future__ import annotations

from ansible_collections.holdfast.cluster.plugins.module_utils.mariadb_accounts import hash_password
from ansible_collections.holdfast.cluster.plugins.module_utils.scram import build_verifier, verifier_matches


def test_verifier_is_recognised_and_another_password_is_not():
    verifier = build_verifier("correct horse")
    assert verifier_matches(verifier, "correct horse")
    assert not verifier_matches(verifier, "wrong horse")
    assert verifier != build_verifier("correct horse")


def test_stored_key_follows_rfc_7677():
    # RFC 7677, section 3: user "user", password "pencil", this salt, 4096 iterations; ServerSignature derives from it.
    import base64

    verifier = build_verifier("pencil", base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="))
    assert verifier == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )


def test_nothing_and_nonsense_match_no_password():
    assert not verifier_matches("", "x")
    assert not verifier_matches("md5abc", "x")


def test_mariadb_hash_is_the_documented_one():
    # MariaDB manual, PASSWORD(): select password('notagoodpwd').
    assert hash_password("notagoodpwd") == "*3A70EE9FC6594F88CE9E959CD51C5A1C002DC937"
