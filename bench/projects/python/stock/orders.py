"""Orders to the suppliers."""

import json

from stock.items import LOW_STOCK


def reorder_amount(count, target):
    return max(target - count, 0)


def parse_order(text):
    """Read an order, one `name: amount` on each line."""
    order = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        name, amount = line.split(":")
        order[name.strip()] = int(amount)
    return order


def save_order(order, path):
    with open(path, "w") as stream:
        json.dump(order, stream)


def is_urgent(count):
    return count < LOW_STOCK / 2
