import unittest

from shelf.books import Book, Catalogue


class CatalogueTest(unittest.TestCase):
    def setUp(self):
        self.catalogue = Catalogue([Book("Emma", "Jane Austen", 2), Book("Dracula", "Bram Stoker")])

    def test_finds_by_a_part_of_the_title(self):
        self.assertEqual([book.title for book in self.catalogue.find("drac")], ["Dracula"])

    def test_finds_by_author_in_the_order_of_titles(self):
        self.assertEqual([book.title for book in self.catalogue.find("a")], ["Dracula", "Emma"])
