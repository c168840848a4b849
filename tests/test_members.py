"""A field, a method or a name of a file is renamed by what it belongs to."""

# ruff: noqa: E501

from __future__ import annotations

from pathlib import Path

import pytest

from agent.code.index import CodeIndex
from agent.guided.members import renaming
from agent.tools.renaming import renamed_member
from agent.workspace import Workspace

MEMBERS = {
    "shop.py": "class Item:\n    price: float\n    in_stock = 0\n\n    def __init__(self):\n        self.weight = 1\n\n\n"
    "class Crate:\n    def __init__(self):\n        self.weight = self.full = 2\n",
    "trip.js": "export class Trip {\n  constructor() {\n    this.stops = [];\n  }\n\n  lastStop() {\n    return 1;\n  }\n}\n",
    "purse.go": 'package purse\n\ntype Entry struct {\n\tName   string\n\tAmount int `json:"amount"`\n}\n\n'
    "func (e Entry) Show() string {\n\treturn e.Name\n}\n\nfunc FormatAmount(cents int) int {\n\treturn cents\n}\n",
}


@pytest.mark.parametrize(
    ("request_", "old", "new"),
    [
        ("Rename the field Amount of Entry to Cents.", "Amount", "Cents"),
        ("Rename entry's amount to cents.", "Amount", "Cents"),
        (
            "Please change the name of the field amount in the struct entry to whole cents",
            "Amount",
            "WholeCents",
        ),
        ("In Entry, rename Name to Title", "Name", "Title"),
        ("Rename Item.price to cost", "price", "cost"),
        ("The attribute in stock of Item should be called available", "in_stock", "available"),
        ("I'd rather have the property stops of Trip called places", "stops", "places"),
        ("Rename the method last stop on trip to final stop everywhere", "lastStop", "finalStop"),
        ("Rename the stops property to places.", "stops", "places"),
        ("Rename format amount in purse to show amount", "FormatAmount", "ShowAmount"),
        ("Rename the field weight of Item to mass.", "", ""),  # Crate has one too
        ("Rename the field colour of Item to shade.", "", ""),
        ("Rename the field Amount of Trip to Cents.", "", ""),
        ("Rename the field Amount of Entry to something better.", "", ""),
        ("Rename the field Amount of Entry to Cents?", "", ""),
    ],
)
def test_a_field_is_found_by_what_it_belongs_to(tmp_path: Path, request_: str, old: str, new: str) -> None:
    for name, text in MEMBERS.items():
        (tmp_path / name).write_text(text)
    index = CodeIndex(Workspace(tmp_path))
    index.refresh()
    call = renaming(request_, index)
    arguments = call.arguments if call else {"old": "", "new": ""}
    assert (arguments["old"], arguments["new"]) == (old, new)


def test_a_variable_of_the_same_name_keeps_it() -> None:
    source = (
        "class Item:\n    price: float\n\n    def full(self, price):\n        return self.price + price\n\n\n"
        "def total(price, item):\n    return item.price * price + len(f'{item.price}')\n\n\nITEM = Item(price=total(price=1, item=2))\n"
    )
    after = (
        source.replace("    price: float", "    cost: float")
        .replace("self.price", "self.cost")
        .replace("item.price", "item.cost")
        .replace("Item(price=", "Item(cost=")
    )
    assert renamed_member("a.py", source, "price", "cost", "Item") == after
    script = "class A {\n  constructor(last) {\n    this.last = last;\n  }\n}\nconst last = new A(1).last;\n"
    after = script.replace("this.last", "this.end").replace(").last", ").end")
    assert renamed_member("a.js", script, "last", "end", "A") == after
    go = "package a\n\ntype E struct {\n\tAmount int\n}\n\nvar Amount = E{Amount: 1}.Amount\n"
    after = go.replace("\tAmount int", "\tCents int").replace("{Amount: 1}.Amount", "{Cents: 1}.Cents")
    assert renamed_member("a.go", go, "Amount", "Cents", "E") == after
