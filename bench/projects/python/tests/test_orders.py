import unittest

from stock.orders import is_urgent, parse_order, reorder_amount


class OrdersTest(unittest.TestCase):
    def test_reorder_amount(self):
        self.assertEqual(reorder_amount(3, 10), 7)

    def test_parse_order(self):
        self.assertEqual(parse_order("tea: 2\n\nmilk: 5\n"), {"tea": 2, "milk": 5})

    def test_is_urgent(self):
        self.assertTrue(is_urgent(2))
        self.assertFalse(is_urgent(3))
