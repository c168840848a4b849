"""Lines of text for people to read."""

from shelf.loans import days_late, late_fee


def overdue_lines(loans, today, settings):
    """One line per overdue loan, the latest first."""
    late = [loan for loan in loans if days_late(loan, today, settings["loan_days"]) > 0]
    late.sort(key=lambda loan: loan.borrowed_on)
    return [f"{loan.reader} owes {late_fee(loan, today, settings):.2f} for {loan.title}" for loan in late]
