# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""SCRAM-SHA-256 verifiers as PostgreSQL stores them, so that a password never travels to the server or into its log.

Format C(SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>) (PostgreSQL manual, pg_authid; RFC 5803).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re

# PostgreSQL's own default (scram_iterations).
ITERATIONS = 4096
_SALT_BYTES = 16
_PATTERN = re.compile(r"^SCRAM-SHA-256\$(\d+):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)$")


def build_verifier(password, salt=None, iterations=ITERATIONS):
    """Verifier of a password; a new salt unless one is given. The password must be ASCII (no SASLprep is done)."""
    salt = os.urandom(_SALT_BYTES) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, iterations)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${iterations}:{_text(salt)}${_text(stored)}:{_text(server)}"


def verifier_matches(verifier, password):
    """Whether a stored verifier belongs to a password; anything that is not a verifier does not."""
    match = _PATTERN.match(verifier or "")
    if not match:
        return False
    expected = build_verifier(password, base64.b64decode(match[2]), int(match[1]))
    return hmac.compare_digest(expected, verifier)


def _text(data):
    return base64.b64encode(data).decode("ascii")
