"""What the observers read from the array, the kernel and the wire."""

from __future__ import annotations

import struct
import time

import pytest

from holdfast.probe import address, node

TWO_KEYS = bytes.fromhex("00000005 00000010 a1b2c3d401000001 a1b2c3d402000003") + bytes(100)
HELD = bytes.fromhex("00000005 00000010 a1b2c3d401000001 00000000 00 05 0000") + bytes(100)

FIB_TRIE = """Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
Local:
  +-- 10.20.0.0/24 2 0 2
     +-- 10.20.0.0/26 2 0 2
        |-- 10.20.0.11
           /32 host LOCAL
        |-- 10.20.0.50
           /32 host LOCAL
     |-- 10.20.0.255
        /32 link BROADCAST
"""

TCP = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000   113        0 17
   1: 0B00140A:1539 6500140A:D2A0 01 00000000:00000000 00:00000000 00000000   113        0 18
"""


def test_keys_and_holder_are_read_from_the_answers_of_the_array() -> None:
    assert node.parse_keys(TWO_KEYS) == ["0xa1b2c3d401000001", "0xa1b2c3d402000003"]
    assert node.parse_holder(HELD) == "0xa1b2c3d401000001"
    assert node.parse_keys(bytes(1024)) == []
    assert node.parse_holder(bytes(1024)) is None


def test_a_list_of_keys_longer_than_the_buffer_is_cut_at_the_buffer() -> None:
    assert len(node.parse_keys(struct.pack(">II", 1, 8000) + bytes(1016))) == 127


def test_local_addresses_and_listening_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"/proc/net/fib_trie": FIB_TRIE, "/proc/net/tcp": TCP, "/proc/net/tcp6": ""}
    monkeypatch.setattr(node, "read_text", lambda path: files[path])
    assert node.local_addresses() == {"10.20.0.11", "10.20.0.50"}
    assert node.listening_ports() == {5432}


class Silent(node.PathWatcher):
    """A path that was asked and never answers."""

    def start(self) -> None:
        self.error = "sdb: timed out"

    def is_alive(self) -> bool:
        return True


def test_a_lun_whose_paths_do_not_answer_is_an_error_and_not_an_empty_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "PathWatcher", Silent)
    observer = node.Observer()
    observer.node = {"node": "node1", "node_id": 1}
    assert observer._lun(["sdb"]) == {"keys": [], "holder": None, "paths": 0, "registered": 0, "error": "sdb: timed out"}
    assert observer._lun([])["error"] == "no path on this node"


def test_registrations_of_the_own_node_are_counted_per_path(monkeypatch: pytest.MonkeyPatch) -> None:
    class Answering(Silent):
        def fresh(self) -> tuple[float, list[str], str | None]:
            own, other = "0xa1b2c3d401000001", "0xa1b2c3d402000003"
            return time.monotonic() - 0.2, [own, own, other], own

    monkeypatch.setattr(node, "PathWatcher", Answering)
    observer = node.Observer()
    observer.node = {"node": "node1", "node_id": 1}
    seen = observer._lun(["sdb", "sdc"])
    assert seen["registered"] == 2 and seen["paths"] == 2 and len(seen["keys"]) == 2
    assert 0.2 <= seen["age"] < 0.5


def test_an_arp_probe_changes_nobodys_cache_and_its_answers_are_read() -> None:
    mac = bytes.fromhex("020000000065")
    question = address.build_question(mac, "10.20.0.50")
    assert question[:6] == b"\xff" * 6
    assert question[28:32] == bytes(4), "sender address 0.0.0.0 (RFC 5227)"
    assert address.parse_answer(question, "10.20.0.50") is None
    answer = mac + bytes.fromhex("02000000000b 0806 0001 0800 06 04 0002 02000000000b 0a140032") + mac + bytes.fromhex("0a140065")
    assert address.parse_answer(answer, "10.20.0.50") == "02:00:00:00:00:0b"
    assert address.parse_answer(answer, "10.20.0.51") is None
    assert address.parse_answer(answer[:30], "10.20.0.50") is None
