"""Questions and answers: whole, of this connection, and from somebody with the key."""

from __future__ import annotations

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils.pooler_secrets import gate_key
from holdfast_agent.pooler.message import (
    PAUSE,
    Answer,
    GateMessageError,
    Question,
    decode_answer,
    decode_question,
    derive_key,
    encode_answer,
    encode_question,
    new_nonce,
)

KEY, NONCE = b"key", b"nonce"
QUESTION = Question(PAUSE, 3, 12.5, 5.0, 60.0)


def test_both_ways() -> None:
    assert decode_question(encode_question(QUESTION, KEY, NONCE), KEY, NONCE) == QUESTION
    answer = Answer(False, "no", True)
    assert decode_answer(encode_answer(answer, KEY, NONCE), KEY, NONCE) == answer


@pytest.mark.parametrize(("key", "nonce"), [(b"other", NONCE), (KEY, new_nonce())], ids=["key", "connection"])
def test_another_key_and_another_connection_are_refused(key: bytes, nonce: bytes) -> None:
    with pytest.raises(GateMessageError):
        decode_question(encode_question(QUESTION, KEY, NONCE), key, nonce)


def test_a_question_is_no_answer() -> None:
    with pytest.raises(GateMessageError):
        decode_answer(encode_question(QUESTION, KEY, NONCE), KEY, NONCE)


@pytest.mark.parametrize("line", [b"", b"\n", b"GET / HTTP/1.1\n", b"00 {}\n"])
def test_what_is_not_ours_is_refused(line: bytes) -> None:
    with pytest.raises(GateMessageError):
        decode_question(line, KEY, NONCE)


def test_role_and_agent_derive_the_same_key() -> None:
    assert derive_key(b"secret", "erp", "client1").decode() == gate_key("secret\n", "erp", "client1")
    assert derive_key(b"secret", "erp", "client1") != derive_key(b"secret", "erp", "client2")
