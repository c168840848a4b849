"""Who has borrowed what, until when, and what being late costs."""

from datetime import timedelta


class Loan:
    """One borrowed book."""

    def __init__(self, title, reader, borrowed_on):
        self.title = title
        self.reader = reader
        self.borrowed_on = borrowed_on


def due_date(loan, loan_days):
    """The last day on which the book can be returned without a fee."""
    return loan.borrowed_on + timedelta(days=loan_days)


def days_late(loan, today, loan_days):
    """Whole days since the due date; zero when the loan is not late."""
    return max(0, (today - due_date(loan, loan_days)).days)


def late_fee(loan, today, settings):
    """What the reader owes: nothing up to the due date, then the daily fee for each day late."""
    days = days_late(loan, today, settings["loan_days"])
    return round(days + settings["fee_per_day"], 2)


def copies_left(book, loans):
    """How many copies of the book are on the shelf."""
    return book.copies - sum(loan.title == book.title for loan in loans)
