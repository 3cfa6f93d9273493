"""A user of the ERP who places one sale order after the other and keeps a record of everything that he was told.

One user per application server. An order is four calls of Tryton's JSON-RPC: create, quote, confirm, read. Each call ends
in one line of JSON, each order in another; what a line may claim stands in attempts.py. An order is

* ``ok``            where it was confirmed
* ``fail``          where it is sure that it was not: its confirmation never left, or the ERP said no
* ``indeterminate`` where its confirmation was sent and no clear answer came

Every wait has its own deadline, counted by the monotonic clock.

    python3 -m holdfast.probe.erp run CONFIG          until SIGTERM or the config's end
    python3 -m holdfast.probe.erp final CONFIG LABEL  the orders that are there now, with their lines and stock moves
"""

from __future__ import annotations

import json
import sys
import threading
import time
from decimal import Decimal
from typing import Any

from holdfast.probe.attempts import OUTCOMES, Log, NoAnswer, Refused, Worker, run_workers
from holdfast.probe.tryton import Erp, LoggedOut, Unreachable

PAGE = 500
#: Users go on while orders are read: one that is confirmed and not processed may just be under way.
UNDER_WAY_SECONDS = 3.0


class OrderLog(Log):
    """Counts calls, and orders beside them."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self.orders = dict.fromkeys(OUTCOMES, 0)

    def count(self, record: dict[str, Any]) -> None:
        if record["kind"] == "order":
            self.orders[record["outcome"]] += 1
            return
        super().count(record)
        if record["outcome"] == "ok":
            self.last_ok[record["worker"]] = record["t_mono"] + record["seconds"]

    def status(self) -> dict[str, Any]:
        return {**super().status(), "orders": self.orders}


class Seller(Worker):
    """One user: order after order, each with a reference of its own."""

    def __init__(self, server: dict[str, Any], config: dict[str, Any], log: Log, stop: threading.Event) -> None:
        super().__init__(server["name"], config, log, stop)
        self.erp = Erp(config, server)
        self.goods: list[dict[str, Any]] = []
        self.customers: list[dict[str, Any]] = []

    def work(self) -> None:
        self.order()

    def order(self) -> None:
        """One order from the catalogue to the stock move."""
        self.seq += 1
        record = self.begin(kind="order", rows=0)
        self.stage, self.confirm_sent = "create", False
        outcome, error = "ok", ""
        try:
            self._place(record)
        except Refused as reason:
            outcome, error = "fail", str(reason)
        except (Unreachable, LoggedOut) as reason:
            outcome, error = "fail", str(reason)
        except NoAnswer as reason:
            outcome, error = ("indeterminate" if self.confirm_sent else "fail"), str(reason)
        if self.stage == "read":  # it was confirmed, whatever became of the look at it
            outcome, record["look"], error = "ok", error, ""
        self.finish(record, outcome, error)

    def _place(self, record: dict[str, Any]) -> None:
        """The four calls; `record` learns first what the order is about to be."""
        if not self.customers:
            self._learn()
        customer = self.customers[self.seq % len(self.customers)]
        lines = [(product, 1 + (self.seq + position) % 5) for position, product in enumerate(self.goods)]
        record |= {"total": str(sum(quantity * Decimal(p["list_price"]) for p, quantity in lines)), "rows": len(lines),
                   "quantity": sum(quantity for _, quantity in lines)}  # fmt: skip
        (number,) = self._call("create", "model.sale.sale.create", [build_order(self.reference, customer, lines)])
        self._call("quote", "model.sale.sale.quote", [number])
        self._call("confirm", "model.sale.sale.confirm", [number])
        self.stage = "read"
        self._call("read", "model.sale.sale.read", [number], ["state", "untaxed_amount"])

    @property
    def reference(self) -> str:
        return f"{self.config['run']}/{self.name}/{self.seq}"

    def _learn(self) -> None:
        """What can be sold to whom."""
        self.goods = self._call("learn", "model.product.product.search_read", [["salable", "=", True]], 0, 3, None,
                                ["list_price", "sale_uom", "default_uom"])  # fmt: skip
        self.customers = self._call("learn", "model.party.party.search_read", [["addresses", "!=", None]], 0, 10, None,
                                    ["addresses"])  # fmt: skip

    def _call(self, stage: str, method: str, *params: Any) -> Any:
        """One call, one line; then the time that a person takes before the next click."""
        self.stage = stage
        record = self.begin(kind="call", call=stage)
        outcome, error = "ok", ""
        try:
            self.confirm_sent = self.confirm_sent or stage == "confirm"
            return self.erp.call(method, *params)
        except (Unreachable, LoggedOut, Refused) as reason:
            self.confirm_sent = False if stage == "confirm" else self.confirm_sent
            outcome, error = "fail", str(reason)
            raise
        except NoAnswer as reason:
            outcome, error = "indeterminate", str(reason)
            raise
        finally:
            self.finish(record, outcome, error)
            self.stop.wait(self.config["pause_seconds"])


def build_order(reference: str, customer: dict[str, Any], lines: list[tuple[dict[str, Any], int]]) -> dict[str, Any]:
    """An order as Tryton's client sends it: the server fills in the rest by its own defaults."""
    address = customer["addresses"][0]
    return {
        "reference": reference, "party": customer["id"], "invoice_address": address, "shipment_address": address,
        "lines": [["create", [
            {"type": "line", "product": product["id"], "quantity": quantity,
             "unit": product["sale_uom"] or product["default_uom"],
             "unit_price": {"__class__": "Decimal", "decimal": product["list_price"]}}
            for product, quantity in lines
        ]]],
    }  # fmt: skip


def run(config: dict[str, Any]) -> int:
    """All users until somebody says stop or the end has come."""
    stop, log = threading.Event(), OrderLog(config)
    sellers = [Seller(server, config, log, stop) for server in config["servers"]]
    patience = config["connect_timeout_seconds"] + config["call_timeout_seconds"] + 1
    return run_workers(sellers, log, stop, config["seconds"], patience)


def final(config: dict[str, Any], label: str) -> int:
    """Prints all orders of this run, read through the first server that answers; tries until the deadline."""
    end = time.monotonic() + config["final_timeout_seconds"]
    servers = [Erp({**config, "call_timeout_seconds": config["final_timeout_seconds"]}, server) for server in config["servers"]]
    problem: Exception | None = None
    while time.monotonic() < end:
        for erp in servers:
            began, wall = time.monotonic(), time.time()
            try:
                document = read_orders(erp, config["run"])
            except (Refused, Unreachable, NoAnswer, LoggedOut) as error:
                problem = error
                continue
            print(json.dumps({"label": label, "client": config["client"], "t_wall": wall, "t_mono": began, **document}))
            return 0
        time.sleep(0.2)
    print(f"no final read: {problem}", file=sys.stderr)
    return 1


def read_orders(erp: Erp, run: str) -> dict[str, Any]:
    """Orders by user and number: state, totals of order and lines, moved quantity, and how often they are there.

    A confirmed order whose processing was cut off waits for its job; the job is run again first, as an operator does.
    """
    of_run = ["reference", "like", f"{run}/%"]
    waiting = _waiting(erp, of_run)
    if waiting:
        time.sleep(UNDER_WAY_SECONDS)
        waiting = sorted(set(waiting) & set(_waiting(erp, of_run)))
    if waiting:
        erp.call("model.sale.sale.process", waiting)
    sales = _all(erp, "sale.sale", [of_run], ["reference", "state", "untaxed_amount"])
    lines = _all(erp, "sale.line", [["sale.reference", "like", f"{run}/%"]], ["sale", "amount", "quantity"])
    moves = _all(erp, "stock.move", [["origin.sale.reference", "like", f"{run}/%", "sale.line"]], ["origin", "quantity"])
    return {"processed_again": len(waiting), "orders": gather_orders(sales, lines, moves)}


def _waiting(erp: Erp, of_run: list[Any]) -> list[int]:
    return [sale["id"] for sale in _all(erp, "sale.sale", [of_run, ["state", "=", "confirmed"]], [])]


def gather_orders(sales: list[Any], lines: list[Any], moves: list[Any]) -> dict[str, dict[str, Any]]:
    """Sales with their lines and moves, by the part of the reference that names user and number."""
    moved: dict[int, float] = {}
    for move in moves:
        line = int(str(move["origin"]).split(",")[1])
        moved[line] = moved.get(line, 0.0) + float(move["quantity"])
    of_sale: dict[int, list[Any]] = {}
    for line in lines:
        of_sale.setdefault(line["sale"], []).append(line)
    found: dict[str, dict[str, Any]] = {}
    for sale in sales:
        own = of_sale.get(sale["id"], [])
        name = "/".join(sale["reference"].split("/")[-2:])
        found[name] = {
            "state": sale["state"], "total": sale["untaxed_amount"], "rows": len(own),
            "lines_total": str(sum((Decimal(line["amount"]) for line in own), Decimal())),
            "moved": sum(moved.get(line["id"], 0.0) for line in own),
            "copies": found.get(name, {"copies": 0})["copies"] + 1,
        }  # fmt: skip
    return found


def _all(erp: Erp, model: str, domain: list[Any], fields: list[str]) -> list[Any]:
    found: list[Any] = []
    while True:
        page = erp.call(f"model.{model}.search_read", domain, len(found), PAGE, [["id", "ASC"]], fields)
        found += page
        if len(page) < PAGE:
            return found


def main(argv: list[str]) -> int:
    with open(argv[2]) as file:  # noqa: PTH123
        config = json.load(file)
    if argv[1] == "run":
        return run(config)
    return final(config, argv[3])


if __name__ == "__main__":
    sys.exit(main(sys.argv))
