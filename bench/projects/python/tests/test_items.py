import unittest

from stock.items import Item, Shelf


class ShelfTest(unittest.TestCase):
    def setUp(self):
        self.shelf = Shelf()
        self.shelf.put(Item("tea", 2.5, 8))
        self.shelf.put(Item("milk", 1.0, 3))

    def test_take(self):
        self.assertEqual(self.shelf.take("tea", 2), 5.0)

    def test_take_too_many(self):
        with self.assertRaises(ValueError):
            self.shelf.take("milk", 4)

    def test_low(self):
        self.assertEqual(self.shelf.low(), ["milk"])

    def test_names(self):
        self.assertEqual(self.shelf.names(), ["milk", "tea"])
