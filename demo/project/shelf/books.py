"""Books and the catalogue that holds them."""

import json


class Book:
    """One title; `copies` is how many the library owns."""

    def __init__(self, title, author, copies=1):
        self.title = title
        self.author = author
        self.copies = copies


class Catalogue:
    """Every book of the library, by title."""

    def __init__(self, books=()):
        self.books = {book.title: book for book in books}

    def find(self, words):
        """Return the books whose title or author contains the words, sorted by title."""
        words = words.lower()
        found = [b for b in self.books.values() if words in b.title.lower() or words in b.author.lower()]
        return sorted(found, key=lambda book: book.title)


def load_catalogue(path):
    """Read a catalogue from a JSON file: a list of objects with title, author and copies."""
    with open(path, encoding="utf-8") as file:
        return Catalogue([Book(**record) for record in json.load(file)["books"]])
