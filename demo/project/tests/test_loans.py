import unittest
from datetime import date

from shelf.books import Book
from shelf.loans import Loan, copies_left, days_late, due_date, late_fee
from shelf.report import overdue_lines

SETTINGS = {"loan_days": 10, "fee_per_day": 0.5}


class LoanTest(unittest.TestCase):
    def setUp(self):
        self.loan = Loan("Emma", "Ada", date(2024, 3, 1))

    def test_due_after_the_days_of_the_loan(self):
        self.assertEqual(due_date(self.loan, 10), date(2024, 3, 11))

    def test_not_late_on_the_due_date(self):
        self.assertEqual(days_late(self.loan, date(2024, 3, 11), 10), 0)

    def test_fee_grows_with_each_day_late(self):
        self.assertEqual(late_fee(self.loan, date(2024, 3, 15), SETTINGS), 2.0)

    def test_copies_left_counts_loans_of_that_title(self):
        loans = [self.loan, Loan("Dracula", "Ada", date(2024, 3, 1))]
        self.assertEqual(copies_left(Book("Emma", "Jane Austen", 2), loans), 1)

    def test_nothing_is_overdue_in_time(self):
        self.assertEqual(overdue_lines([self.loan], date(2024, 3, 5), SETTINGS), [])
