"""The command line: python -m shelf CATALOGUE find WORDS | overdue"""

import json
import sys
from datetime import date

from shelf.books import load_catalogue
from shelf.config import parse_config
from shelf.loans import Loan
from shelf.report import overdue_lines


def main(arguments):
    path, command, *words = arguments
    if command == "find":
        for book in load_catalogue(path).find(" ".join(words)):
            print(f"{book.title} by {book.author}")
    elif command == "overdue":
        with open(path, encoding="utf-8") as file:
            records = json.load(file).get("loans", [])
        loans = [Loan(r["title"], r["reader"], date.fromisoformat(r["borrowed_on"])) for r in records]
        print("\n".join(overdue_lines(loans, date.today(), parse_config(""))))


if __name__ == "__main__":
    main(sys.argv[1:])
