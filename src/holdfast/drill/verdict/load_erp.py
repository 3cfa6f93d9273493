"""The part of an evidence folder that the ERP's probe left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from holdfast.drill.verdict.erp_record import ErpFinal, ErpOrder, ErpRecord, FoundOrder
from holdfast.drill.verdict.history import Attempt
from holdfast.drill.verdict.timeaxis import TimeAxis

if TYPE_CHECKING:
    from holdfast.drill.verdict.load import Folder


def load_erp_record(folder: Folder, axis: TimeAxis) -> ErpRecord:
    """Everything that the ERP's probe left."""
    entries = list(_entries(folder, axis))
    finals = [_final(folder, axis, name) for name in folder.names("erp/final-*.json")]
    return ErpRecord(
        tuple(_call(entry, start) for entry, start in entries if entry["kind"] == "call"),
        tuple(_order(entry, start) for entry, start in entries if entry["kind"] == "order"),
        tuple(final for final in finals if final is not None),
    )


def _entries(folder: Folder, axis: TimeAxis) -> Iterator[tuple[dict[str, Any], float]]:
    for name in folder.names("erp/attempts-*.jsonl"):
        for line in folder.lines(name):
            yield line, axis.place(line["client"], line)


def _call(entry: Mapping[str, Any], start: float) -> Attempt:
    return Attempt(entry["worker"], "writer", entry["seq"], 0, start, start + entry["seconds"], entry["outcome"],
                   entry["call"], entry.get("error", ""))  # fmt: skip


def _order(entry: Mapping[str, Any], start: float) -> ErpOrder:
    return ErpOrder(entry["worker"], entry["seq"], start, start + entry["seconds"], entry["outcome"], entry.get("total", ""),
                    entry.get("rows", 0), entry.get("quantity", 0), entry.get("stage", ""), entry.get("error", ""))  # fmt: skip


def _final(folder: Folder, axis: TimeAxis, name: str) -> ErpFinal | None:
    raw = folder.document(name)
    if not raw:
        return None
    return ErpFinal(raw["label"], axis.place(raw["client"], raw), dict(_found(raw["orders"])), raw["processed_again"])


def _found(orders: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, FoundOrder]]:
    for name, order in orders.items():
        yield name, FoundOrder(**order)
