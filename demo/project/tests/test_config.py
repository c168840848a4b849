import unittest

from shelf.config import parse_config


class ParseConfigTest(unittest.TestCase):
    def test_empty_text_gives_the_defaults(self):
        self.assertEqual(parse_config(""), {"loan_days": 21, "fee_per_day": 0.25, "reminders": True})

    def test_values_get_the_type_of_their_default(self):
        settings = parse_config("loan_days = 14\nfee_per_day = 0.5\nreminders = no\n")
        self.assertEqual(settings, {"loan_days": 14, "fee_per_day": 0.5, "reminders": False})

    def test_comments_and_blank_lines_are_skipped(self):
        self.assertEqual(parse_config("# ours\n\nloan_days = 7  # a week\n")["loan_days"], 7)

    def test_an_unknown_setting_names_its_line(self):
        with self.assertRaisesRegex(ValueError, "line 2"):
            parse_config("loan_days = 7\ncolour = red\n")
