"""The record of the ERP's user: what he may claim to know after each way in which a call can end."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from holdfast.probe import erp, tryton
from holdfast.probe.attempts import NoAnswer, Refused

GOODS = [{"id": 7, "list_price": "1.25", "sale_uom": 1, "default_uom": 1},
         {"id": 8, "list_price": "2", "sale_uom": None, "default_uom": 1}]  # fmt: skip
CUSTOMERS = [{"id": 3, "addresses": [4]}]
LEARNT: list[Any] = [GOODS, CUSTOMERS]


class FakeErp:
    """Answers each call from a script; an exception in it is raised."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.asked = list(answers), list[tuple[Any, ...]]()

    def call(self, method: str, *params: Any) -> Any:
        self.asked.append((method, *params))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def seller(tmp_path: Path, *answers: Any) -> erp.Seller:
    account = tmp_path / "account.json"
    account.write_text(json.dumps({"database": "erp", "login": "seller", "password": "x"}))
    config = {"client": "client1", "run": "r", "account_file": str(account), "pause_seconds": 0,
              "attempts": str(tmp_path / "attempts"), "status": str(tmp_path / "status")}  # fmt: skip
    user = erp.Seller({"name": "outside"}, config, erp.OrderLog(config), threading.Event())
    user.erp = FakeErp(*answers)  # type: ignore[assignment]
    return user


def records(tmp_path: Path, kind: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (tmp_path / "attempts").read_text().splitlines()]
    return [line for line in lines if line["kind"] == kind]


def test_a_confirmed_order_is_ok_and_says_what_it_is_worth(tmp_path: Path) -> None:
    user = seller(tmp_path, *LEARNT, [11], None, None, [{"state": "processing"}])
    user.order()
    (order,) = records(tmp_path, "order")
    assert (order["outcome"], order["total"], order["rows"], order["quantity"]) == ("ok", "8.50", 2, 5)
    assert [record["call"] for record in records(tmp_path, "call")][2:] == ["create", "quote", "confirm", "read"]
    assert user.erp.asked[2][1][0]["reference"] == "r/outside/1"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("answers", "order", "call"),
    [
        ([tryton.Unreachable("no")], "fail", "fail"),
        ([NoAnswer("lost")], "fail", "indeterminate"),
        ([[11], NoAnswer("lost")], "fail", "indeterminate"),
        ([[11], None, tryton.Unreachable("no")], "fail", "fail"),
        ([[11], None, Refused("UserError")], "fail", "fail"),
        ([[11], None, tryton.LoggedOut("who?")], "fail", "fail"),
        ([[11], None, NoAnswer("lost")], "indeterminate", "indeterminate"),
        ([[11], None, None, NoAnswer("lost")], "ok", "indeterminate"),
    ],
)
def test_how_an_order_ends(tmp_path: Path, answers: list[Any], order: str, call: str) -> None:
    seller(tmp_path, *LEARNT, *answers).order()
    assert records(tmp_path, "order")[0]["outcome"] == order
    assert records(tmp_path, "order")[0]["total"] == "8.50"
    assert records(tmp_path, "call")[-1]["outcome"] == call


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, b"", tryton.LoggedOut),
        (500, b"", NoAnswer),
        (200, b"<html>", NoAnswer),
        (200, b'{"error": ["UserError", ["no", ""]]}', Refused),
        (200, b'{"error": ["server closed the connection unexpectedly", ""]}', NoAnswer),
    ],
)
def test_only_a_no_of_the_erp_itself_is_a_no(status: int, body: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        tryton.read_answer(status, body)


class CutOff(tryton.Erp):
    """An ERP that goes away where the script says so; `posted` is what was asked, and in which session."""

    def __init__(self, tmp_path: Path, *answers: Any) -> None:
        account = tmp_path / "account.json"
        account.write_text(json.dumps({"database": "erp", "login": "seller", "password": "x"}))
        super().__init__({"account_file": str(account)}, {"name": "outside"})
        self.answers, self.posted = list(answers), list[tuple[str, bool]]()

    def _post(self, method: str, params: list[Any], session: str = "") -> Any:
        self.posted.append((method, bool(session)))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_a_login_that_was_cut_off_is_done_again(tmp_path: Path) -> None:
    """A session without its context is worse than none: every order in it would be refused for want of a company."""
    login, context = ("common.db.login", False), ("model.res.user.get_preferences", True)
    user = CutOff(tmp_path, [1, "key"], NoAnswer("lost"), [1, "other"], {"company": 7}, [11])
    with pytest.raises(NoAnswer):
        user.call("model.sale.sale.create")
    assert user.call("model.sale.sale.create") == [11]
    assert user.posted == [login, context, login, context, ("model.sale.sale.create", True)]
    assert user.context == {"company": 7}


def test_a_session_that_is_not_known_any_more_is_replaced_with_the_next_call(tmp_path: Path) -> None:
    user = CutOff(tmp_path, [1, "key"], {}, tryton.LoggedOut("who?"), [1, "other"], {}, [11])
    with pytest.raises(tryton.LoggedOut):
        user.call("model.sale.sale.create")
    assert user.call("model.sale.sale.create") == [11]


def test_decimals_are_texts() -> None:
    assert tryton.read_answer(200, b'{"result": {"__class__": "Decimal", "decimal": "8.50"}}') == "8.50"


def test_orders_are_gathered_with_their_lines_moves_and_copies() -> None:
    sales = [{"id": 1, "reference": "r/outside/1", "state": "processing", "untaxed_amount": "5.00"},
             {"id": 2, "reference": "r/outside/1", "state": "draft", "untaxed_amount": "5.00"}]  # fmt: skip
    lines = [{"id": 10, "sale": 1, "amount": "3.00", "quantity": 3.0}, {"id": 11, "sale": 1, "amount": "2.00", "quantity": 1.0}]
    moves = [{"origin": "sale.line,10", "quantity": 3.0}, {"origin": "sale.line,11", "quantity": 1.0}]
    assert erp.gather_orders(sales[:1], lines, moves) == {
        "outside/1": {"state": "processing", "total": "5.00", "rows": 2, "lines_total": "5.00", "moved": 4.0, "copies": 1}
    }
    assert erp.gather_orders(sales, lines, moves)["outside/1"]["copies"] == 2


def test_a_cut_off_job_is_run_again_and_an_order_under_way_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erp, "UNDER_WAY_SECONDS", 0)
    fake = FakeErp([{"id": 5}, {"id": 6}], [{"id": 5}, {"id": 7}], None, [], [], [])
    assert erp.read_orders(fake, "r")["processed_again"] == 1  # type: ignore[arg-type]
    assert fake.asked[2] == ("model.sale.sale.process", [5])
