import unittest

from stock.pricing import bulk_price, discount, with_vat


class PricingTest(unittest.TestCase):
    def test_with_vat(self):
        self.assertEqual(with_vat(100), 119.0)

    def test_discount(self):
        self.assertEqual(discount(200, 10), 180.0)

    def test_bulk_price(self):
        self.assertEqual(bulk_price(10, 10), 85.0)

    def test_small_amount(self):
        self.assertEqual(bulk_price(10, 9), 90)
