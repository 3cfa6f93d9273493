# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Company, accounts, products, parties, stock and users of a Tryton database, brought to what a JSON document says.

    load_tryton.py CONFIG DATABASE modules < WANTED   prints {"missing": […]}: modules that are not active
    load_tryton.py CONFIG DATABASE activate < WANTED  makes the tables and activates those modules, as trytond-admin does
    load_tryton.py CONFIG DATABASE data < WANTED      prints {"changed": […]}: what was made
    load_tryton.py CONFIG DATABASE check < WANTED     the same, and makes nothing

Reads first and makes only what is missing, so that a second run changes nothing; what exists is never altered or
removed. Works in the server's own libraries (proteus, set_trytond), so that every rule of the modules applies.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import sys
from decimal import Decimal

from proteus import Model, Wizard
from proteus import config as proteus_config
from trytond.config import config as server_config

CHART = ("account", "account_template_root_en")
#: Groups of a user who places sale orders, looks at their deliveries, and may run a cut-off job again (names of modules
#: sale, stock and account).
SELLER_GROUPS = ("Sales", "Sales Administrator", "Stock", "Account")


class Loader:
    """Ensures one part after the other; `changed` names what was missing."""

    def __init__(self, wanted, check):
        self.wanted, self.check = wanted, check
        self.changed = []

    def run(self):
        """Everything in the order of its dependencies. In check mode nothing can be said about what hangs on a gap."""
        for part in (self.currency, self.company, self.accounts, self.fiscal_year, self.category, self.products,
                     self.parties, self.stock, self.sales, self.users):  # fmt: skip
            part()
            if self.check and self.changed:
                break
        return self.changed

    def missing(self, what):
        """Note a gap; whether to fill it."""
        self.changed.append(what)
        return not self.check

    def currency(self):
        wanted = self.wanted["currency"]
        self.euro = find("currency.currency", ("code", "=", wanted["code"]))
        if self.euro is None and self.missing(f"currency {wanted['code']}"):
            self.euro = make("currency.currency", code=wanted["code"], name=wanted["code"], symbol=wanted["symbol"],
                             rounding=Decimal("0.01"))  # fmt: skip
            rate = self.euro.rates.new()
            rate.date, rate.rate = datetime.date(2000, 1, 1), Decimal(1)
            self.euro.save()

    def company(self):
        """The first company, made by the wizard that a person would use; the administrator works in it."""
        name = self.wanted["company"]
        self.firm = find("company.company", ("party.name", "=", name))
        if self.firm is None and self.missing(f"company {name}"):
            party = make("party.party", name=name)
            wizard = Wizard("company.company.config")
            wizard.execute("company")
            wizard.form.party, wizard.form.currency = party, self.euro
            wizard.execute("add")
            self.firm = find("company.company", ("party.name", "=", name))
        if self.firm is not None:
            proteus_config.get_config()._context = Model.get("res.user").get_preferences(True, {})

    def accounts(self):
        if find("account.account", ("company", "=", self.firm.id)) is None and self.missing("chart of accounts"):
            data = find("ir.model.data", ("module", "=", CHART[0]), ("fs_id", "=", CHART[1]))
            wizard = Wizard("account.create_chart")
            wizard.execute("account")
            wizard.form.account_template = Model.get("account.account.template")(data.db_id)
            wizard.form.company = self.firm
            wizard.execute("create_account")
            wizard.form.account_receivable = self.account("receivable")
            wizard.form.account_payable = self.account("payable")
            wizard.execute("create_properties")

    def account(self, kind):
        """An account of the chart by its kind."""
        return find("account.account", (f"type.{kind}", "=", True), ("company", "=", self.firm.id), ("closed", "=", False))

    def fiscal_year(self):
        """The current year with its periods and number ranges; next year's is the accountant's decision."""
        name = str(datetime.date.today().year)
        known = find("account.fiscalyear", ("name", "=", name), ("company", "=", self.firm.id))
        if known is not None or not self.missing(f"fiscal year {name}"):
            return
        year = Model.get("account.fiscalyear")(name=name, company=self.firm)
        year.start_date, year.end_date = datetime.date(int(name), 1, 1), datetime.date(int(name), 12, 31)
        year.post_move_sequence = self.sequence("ir.sequence", "Account Move", name)
        invoices = self.sequence("ir.sequence.strict", "Invoice", name)
        (numbers,) = year.invoice_sequences
        for kind in ("out_invoice", "in_invoice", "out_credit_note", "in_credit_note"):
            setattr(numbers, f"{kind}_sequence", invoices)
        year.save()
        year.click("create_period")

    def sequence(self, model, kind, name):
        return make(model, name=name, company=self.firm, sequence_type=find("ir.sequence.type", ("name", "=", kind)))

    def category(self):
        """Products are booked on the accounts of their category."""
        self.goods = find("product.category", ("accounting", "=", True))
        if self.goods is None and self.missing("product category"):
            self.goods = make("product.category", name="Goods", accounting=True,
                              account_expense=self.account("expense"), account_revenue=self.account("revenue"))  # fmt: skip

    def products(self):
        for wanted in self.wanted["products"]:
            if find("product.product", ("code", "=", wanted["code"])) is None and self.missing(f"product {wanted['code']}"):
                template = Model.get("product.template")(name=wanted["name"], type="goods", salable=True)
                template.default_uom = find("product.uom", ("name", "=", "Unit"))
                template.list_price = Decimal(str(wanted["price"]))
                template.account_category = self.goods
                template.products[0].suffix_code = wanted["code"]
                template.save()

    def parties(self):
        for name in self.wanted["customers"]:
            if find("party.party", ("name", "=", name)) is None and self.missing(f"customer {name}"):
                party = Model.get("party.party")(name=name)
                party.addresses[0].city = "Lab"
                party.save()

    def stock(self):
        """What is missing from the wanted quantity comes in by an inventory, once; sales may eat it up."""
        warehouse = find("stock.location", ("type", "=", "warehouse"))
        for wanted in self.wanted["products"]:
            product = find("product.product", ("code", "=", wanted["code"]))
            counted = find("stock.inventory.line", ("product", "=", product.id), ("inventory.state", "=", "done"))
            if counted is None and self.missing(f"stock of {wanted['code']}"):
                inventory = Model.get("stock.inventory")(location=warehouse.storage_location, empty_quantity="keep")
                line = inventory.lines.new()
                line.product, line.quantity = product, float(wanted["stock"])
                inventory.save()
                inventory.click("confirm")

    def sales(self):
        """When an order is invoiced: with the order itself, or with its shipments."""
        settings = Model.get("sale.configuration")(1)
        wanted = self.wanted["invoice_method"]
        if settings.sale_invoice_method != wanted and self.missing(f"sales are invoiced by {wanted}"):
            settings.sale_invoice_method = wanted
            settings.save()

    def users(self):
        groups = Model.get("res.group").find([("name", "in", SELLER_GROUPS)])
        for wanted in self.wanted["users"]:
            user = find("res.user", ("login", "=", wanted["login"]))
            if user is None and self.missing(f"user {wanted['login']}"):
                user = Model.get("res.user")(name=wanted["login"], login=wanted["login"], password=wanted["password"])
                user.companies.append(self.firm)
                user.company = self.firm
                user.save()
            lacking = [group for group in groups if user is not None and group not in user.groups]
            if lacking and self.missing(f"groups of {wanted['login']}"):
                user.groups.extend(lacking)
                user.save()


def find(model, *clauses):
    """The first record that fits, or None."""
    found = Model.get(model).find(list(clauses), limit=1)
    return found[0] if found else None


def make(model, **values):
    """A saved record."""
    record = Model.get(model)(**values)
    record.save()
    return record


def missing_modules(database, wanted):
    """Those of I(wanted) that are not active; all of them where the database has no tables yet."""
    from trytond import backend  # only after the configuration has been read
    from trytond.transaction import Transaction

    if not backend.Database(database).connect().test():
        return wanted
    with Transaction().start(database, 0, readonly=True) as transaction:
        cursor = transaction.connection.cursor()
        cursor.execute("SELECT name FROM ir_module WHERE state = 'activated'")
        active = {name for (name,) in cursor.fetchall()}
    return [name for name in wanted if name not in active]


def activate_modules(database, wanted):
    """What trytond-admin does for --update; the administrator's password never is an argument or a file on a disk."""
    from trytond.admin import run  # only after the configuration has been read

    password = os.memfd_create("password")
    os.write(password, wanted["password"].encode())
    os.environ["TRYTONPASSFILE"] = f"/proc/self/fd/{password}"
    run(argparse.Namespace(
        database_names=[database], update=missing_modules(database, wanted["modules"]), activatedeps=True,
        email=wanted["email"], languages=[], update_modules_list=False, password=False, reset_password=False, hostname=None,
        test_email=None, validate=None, validate_percentage=100,
    ))  # fmt: skip


def main(argv):
    config_file, database, verb = argv[1:]
    wanted = json.load(sys.stdin)
    if verb == "modules":
        server_config.update_etc(config_file)
        print(json.dumps({"missing": missing_modules(database, wanted["modules"])}))
        return 0
    if verb == "activate":
        server_config.update_etc(config_file)
        activate_modules(database, wanted)
        return 0
    proteus_config.set_trytond(database, config_file=config_file)
    print(json.dumps({"changed": Loader(wanted, verb == "check").run()}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
