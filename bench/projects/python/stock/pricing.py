"""What things cost."""

VAT_RATE = 0.19
CURRENCY = "EUR"


def with_vat(price):
    return round(price * (1 + VAT_RATE), 2)


def discount(price, percent):
    return round(price - price * percent / 100, 2)


def bulk_price(price, count):
    if count >= 10:
        return discount(price, 15) * count
    return price * count
