"""Items and the shelf that they stand on."""

from dataclasses import dataclass

LOW_STOCK = 5


@dataclass
class Item:
    name: str
    price: float
    count: int = 0


class Shelf:
    """Holds items by their name."""

    def __init__(self):
        self._items = {}

    def put(self, item):
        if item.name in self._items:
            self._items[item.name].count += item.count
        else:
            self._items[item.name] = item

    def take(self, name, count):
        item = self._items[name]
        if count > item.count:
            raise ValueError("not enough in stock")
        item.count -= count
        return item.price * count

    def names(self):
        return sorted(self._items)

    def low(self):
        return [item.name for item in self._items.values() if item.count < LOW_STOCK]
