#!/usr/bin/python3
"""A user of the ERP who places one sale order after the other and keeps a record of everything that he was told.

One user per application server. An order is four calls of Tryton's JSON-RPC: create, quote, confirm, read. Each call ends
in one line of JSON, each order in another; both carry one of

* ``ok``            the ERP said yes; for an order: it was confirmed
* ``fail``          it is sure that the order was not confirmed: no connection, or the ERP said no before it was asked to
* ``indeterminate`` the request was sent and no clear answer came; both outcomes are right

Every wait has its own deadline, counted by the monotonic clock. A session outlives the server that gave it, because it is
kept in the database; where the ERP no longer knows it, the user logs in again, as a person would.

    erp.py run CONFIG           until SIGTERM or the config's end
    erp.py final CONFIG LABEL   the orders that are there now, with their lines and stock moves
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import signal
import socket
import sys
import threading
import time
from decimal import Decimal
from typing import Any

STATUS_PERIOD_SECONDS = 0.2
PAGE = 500
#: Users go on while orders are read: one that is confirmed and not processed may just be under way.
UNDER_WAY_SECONDS = 3.0
#: A request that was taken over by a dead machine: after a second of silence its successor is asked, which ends it.
KEEPALIVE = ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 3), (socket.TCP_USER_TIMEOUT, 3000))
#: Errors that Tryton raises before it commits anything (trytond.exceptions).
REFUSALS = ("UserError", "UserWarning", "ConcurrencyException")
UNAUTHORIZED = 401


class Refused(Exception):
    """The ERP answered, and the answer was no; nothing was committed."""


class Unreachable(Exception):
    """No connection: the ERP does not know of this request."""


class NoAnswer(Exception):
    """The request was sent, and what became of it is not known."""


class LoggedOut(Exception):
    """The ERP does not know this session any more; nothing was done."""


class Connection(http.client.HTTPConnection):
    """One request, one connection, deadlines for opening it and for the answer."""

    def __init__(self, server: dict[str, Any], connect_seconds: float, answer_seconds: float) -> None:
        super().__init__(server["address"], server["port"], timeout=connect_seconds)
        self.answer_seconds = answer_seconds

    def connect(self) -> None:
        super().connect()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in KEEPALIVE:
            self.sock.setsockopt(socket.IPPROTO_TCP, option, value)
        self.sock.settimeout(self.answer_seconds)


class Erp:
    """One user's way to one application server."""

    def __init__(self, config: dict[str, Any], server: dict[str, Any]) -> None:
        self.config, self.server = config, server
        with open(config["account_file"]) as file:  # noqa: PTH123 - one file without pathlib's start-up cost
            self.account = json.load(file)
        self.session = ""
        self.context: dict[str, Any] = {}

    def call(self, method: str, *params: Any) -> Any:
        """The result of a method; logs in first where that is needed."""
        if not self.session:
            self._log_in()
        try:
            return self._post(method, [*params, self.context], self.session)
        except LoggedOut:
            self.session = ""
            raise

    def _log_in(self) -> None:
        """A session counts once the user's context is known as well: without his company no order can be placed."""
        words = {"password": self.account["password"]}
        found = self._post("common.db.login", [self.account["login"], words, "en"])
        user, key = found[0], found[1]
        session = base64.b64encode(f"{self.account['login']}:{user}:{key}".encode()).decode()
        self.context = self._post("model.res.user.get_preferences", [True, {}], session)
        self.session = session

    def _post(self, method: str, params: list[Any], session: str = "") -> Any:
        body = json.dumps({"id": 0, "method": method, "params": params})
        headers = {"Content-Type": "application/json"}
        if session:
            headers["Authorization"] = f"Session {session}"
        connection = Connection(self.server, self.config["connect_timeout_seconds"], self.config["call_timeout_seconds"])
        try:
            try:
                connection.connect()
            except OSError as error:
                raise Unreachable(f"no connection: {error}") from error
            try:
                connection.request("POST", f"/{self.account['database']}/", body, headers)
                answer = connection.getresponse()
                text = answer.read()
            except (OSError, http.client.HTTPException) as error:
                raise NoAnswer(f"no answer: {error or type(error).__name__}") from error
        finally:
            connection.close()
        return read_answer(answer.status, text)


def read_answer(status: int, text: bytes) -> Any:
    """The result in an answer of the ERP; an error that may have come after a commit counts as no answer."""
    if status == UNAUTHORIZED:
        raise LoggedOut("the session is not known")
    if status != http.client.OK:
        raise NoAnswer(f"HTTP status {status}")
    try:
        document = json.loads(text, object_hook=_decode)
    except ValueError as error:
        raise NoAnswer("the answer is not JSON") from error
    if "error" in document:
        words = [str(word) for word in document["error"]]
        if words and words[0] in REFUSALS:
            raise Refused(": ".join(words)[:200])
        raise NoAnswer(words[0][:200] if words else "an error without words")
    return document["result"]


def _decode(value: dict[str, Any]) -> Any:
    return value["decimal"] if value.get("__class__") == "Decimal" else value


class Log:
    """One line per call and per order, written at once; and a small status file for whoever watches."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.file = open(config["attempts"], "a", buffering=1)  # noqa: SIM115, PTH123 - lives as long as the program
        self.status_path = config["status"]
        self.lock = threading.Lock()
        self.counts = {"ok": 0, "fail": 0, "indeterminate": 0}
        self.orders = {"ok": 0, "fail": 0, "indeterminate": 0}
        self.last_ok: dict[str, float] = {}
        self.last_error = ""
        self.broken = ""

    def add(self, record: dict[str, Any]) -> None:
        with self.lock:
            self.file.write(json.dumps(record) + "\n")
            (self.orders if record["kind"] == "order" else self.counts)[record["outcome"]] += 1
            if record["outcome"] != "ok":
                self.last_error = record["error"]
            elif record["kind"] == "call":
                self.last_ok[record["worker"]] = record["t_mono"] + record["seconds"]

    def write_status(self) -> None:
        with self.lock:
            now = time.monotonic()
            waits = {worker: round(now - end, 3) for worker, end in self.last_ok.items()}
            status = {"t_wall": time.time(), **self.counts, "orders": self.orders, "waits": waits,
                      "last_error": self.last_error, "broken": self.broken}  # fmt: skip
        with open(self.status_path + ".new", "w") as file:  # noqa: PTH123
            json.dump(status, file)
        os.replace(self.status_path + ".new", self.status_path)  # noqa: PTH105


class Seller(threading.Thread):
    """One user: order after order, each with a reference of its own."""

    def __init__(self, server: dict[str, Any], config: dict[str, Any], log: Log, stop: threading.Event) -> None:
        super().__init__(name=server["name"], daemon=True)
        self.config, self.log, self.stop = config, log, stop
        self.erp = Erp(config, server)
        self.goods: list[dict[str, Any]] = []
        self.customers: list[dict[str, Any]] = []
        self.seq = 0

    def run(self) -> None:
        try:
            while not self.stop.is_set():
                self.order()
        except Exception as error:  # a probe that half works would measure half of the truth: all of it stops
            self.log.broken = f"{self.name}: {type(error).__name__}: {error}"
            self.stop.set()
            raise

    def order(self) -> None:
        """One order from the catalogue to the stock move."""
        self.seq += 1
        record = self._record("order", rows=0)
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
        self._finish(record, outcome, error)

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
        record = self._record("call", call=stage)
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
            self._finish(record, outcome, error)
            self.stop.wait(self.config["pause_seconds"])

    def _record(self, kind: str, **words: Any) -> dict[str, Any]:
        return {"client": self.config["client"], "kind": kind, "worker": self.name, "seq": self.seq,
                "t_mono": time.monotonic(), "t_wall": time.time(), **words}  # fmt: skip

    def _finish(self, record: dict[str, Any], outcome: str, error: str) -> None:
        record |= {"seconds": round(time.monotonic() - record["t_mono"], 6), "outcome": outcome}
        if outcome != "ok":
            record |= {"stage": self.stage, "error": error}
        self.log.add(record)


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
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    log = Log(config)
    sellers = [Seller(server, config, log, stop) for server in config["servers"]]
    for seller in sellers:
        seller.start()
    end = time.monotonic() + config["seconds"]
    while not stop.wait(STATUS_PERIOD_SECONDS) and time.monotonic() < end:
        log.write_status()
    stop.set()
    for seller in sellers:
        seller.join(timeout=config["connect_timeout_seconds"] + config["call_timeout_seconds"] + 1)
    log.write_status()
    return 1 if log.broken else 0


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
