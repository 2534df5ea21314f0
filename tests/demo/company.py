# ruff: noqa: E501 - one fact a line
"""Nordfell, which does not exist: it sells tents and jackets, has customers, orders, policies, tables and tickets."""

from __future__ import annotations

import random
from typing import Any

NAME = "Nordfell"
PRODUCTS: tuple[tuple[str, str, float], ...] = (
    ("NF-TNT-22", "Skarvet 2 tent", 429.0),
    ("NF-TNT-31", "Skarvet 3 tent", 529.0),
    ("NF-JKT-07", "Regnbue rain jacket", 189.0),
    ("NF-JKT-11", "Vidda down jacket", 319.0),
    ("NF-BAG-40", "Fonn 40 rucksack", 149.0),
    ("NF-BAG-65", "Fonn 65 rucksack", 219.0),
    ("NF-SLP-02", "Myrull sleeping bag, -7 °C", 259.0),
    ("NF-BTS-14", "Ur hiking boots", 199.0),
    ("NF-STV-01", "Glo gas stove", 79.0),
    ("NF-LMP-05", "Kveld head torch", 59.0),
    ("NF-MAT-09", "Mose sleeping mat", 119.0),
    ("NF-PNT-18", "Stein trekking trousers", 129.0),
)
DAMAGES = {
    "TNT": "a pole is bent",
    "JKT": "the zip is broken",
    "BAG": "there is a tear near the buckle",
    "SLP": "the zip jams and a seam is open",
    "BTS": "a sole is coming off",
    "STV": "the valve leaks",
    "LMP": "it does not switch on",
    "MAT": "it loses air within minutes",
    "PNT": "a seam is open",
}
# Names of nobody in particular; addresses at domains that are reserved for examples.
CUSTOMERS: tuple[tuple[str, str, str, str, str], ...] = (
    ("cust-20481", "Hanne Solberg", "hanne.solberg@example.com", "+47 22 12 34 56", "Bergen"),
    ("cust-20733", "Jonas Weber", "jonas.weber@example.org", "+49 30 901820", "Berlin"),
    ("cust-21004", "Priya Nair", "priya.nair@example.com", "+44 20 7946 0018", "Leeds"),
    ("cust-21190", "Lucía Romero", "lucia.romero@example.net", "+34 910 551 234", "Madrid"),
    ("cust-21356", "Tom Okafor", "tom.okafor@example.com", "+44 20 7946 0455", "Cardiff"),
    ("cust-21577", "Mette Dahl", "mette.dahl@example.org", "+45 32 12 34 56", "Aarhus"),
    ("cust-21842", "Émile Garnier", "emile.garnier@example.net", "+33 1 99 00 12 34", "Lyon"),
    ("cust-22015", "Sara Lindgren", "sara.lindgren@example.com", "+46 8 465 004 18", "Uppsala"),
    ("cust-22260", "Marek Nowak", "marek.nowak@example.org", "+48 22 123 45 67", "Kraków"),
    ("cust-22418", "Aoife Byrne", "aoife.byrne@example.com", "+353 1 496 0123", "Galway"),
    ("cust-22691", "Daniel Huber", "daniel.huber@example.net", "+43 1 712 34 56", "Graz"),
    ("cust-22904", "Noor Haddad", "noor.haddad@example.com", "+31 20 794 0456", "Utrecht"),
    ("cust-23127", "Ben Whitaker", "ben.whitaker@example.org", "+44 20 7946 0871", "Sheffield"),
    ("cust-23388", "Ingrid Moe", "ingrid.moe@example.com", "+47 73 12 34 56", "Trondheim"),
)
POLICIES: tuple[tuple[str, str, str], ...] = (
    (
        "2.1",
        "Returns",
        "Goods that were not used may be returned within 60 days of delivery. Return postage is paid by Nordfell inside the EEA, Switzerland and the United Kingdom.",
    ),
    (
        "2.3",
        "Damaged on arrival",
        "What arrives damaged is replaced or refunded in full, as the customer prefers, when a photo or a description is sent within 14 days. No return is asked for below 50 euros.",
    ),
    (
        "3.2",
        "Delivery times",
        "Parcels leave Gothenburg on the next working day. Nordic countries 1 to 3 working days, the rest of Europe 3 to 6. A parcel without a scan for 5 working days counts as lost.",
    ),
    (
        "4.2",
        "Refunds",
        "A refund goes back to the means of payment within 5 working days. Above 250 euros a colleague of the refund team is asked first.",
    ),
    (
        "5.1",
        "Warranty",
        "Tents, rucksacks and sleeping bags have a warranty of 5 years on fabric, seams and zips; boots and clothing of 2 years. Normal wear is not covered.",
    ),
    (
        "5.4",
        "Repairs",
        "Zips, poles and seams are repaired in Gothenburg, without charge within the warranty, else for 25 to 60 euros. It takes two to three weeks.",
    ),
    (
        "7.1",
        "Keeping of customers' data",
        "Accounts without an order for 24 months are deleted, after two reminders. Invoices are kept for 10 years as the law asks.",
    ),
)
CARRIERS = ("PostNord", "DHL", "Bring", "GLS")


def document(section: str, score: float) -> dict[str, Any]:
    """A policy as the index returns it."""
    name, words = next((name, words) for number, name, words in POLICIES if number == section)
    return {"id": f"policy-{section}", "score": round(score, 3), "title": f"Policy {section}, {name}", "content": words}


class Order:
    """An order of one customer, drawn."""

    def __init__(self, dice: random.Random) -> None:
        self.customer, self.person, self.email, self.phone, self.city = dice.choice(CUSTOMERS)
        self.first_name = self.person.split()[0]
        self.sku, self.product, self.price = dice.choice(PRODUCTS)
        self.number = f"NF-{dice.randrange(48_000, 53_999)}"
        self.carrier = dice.choice(CARRIERS)
        self.tracking = f"{self.carrier[:2].upper()}{dice.randrange(10**8, 10**9)}SE"
        self.days = dice.randrange(2, 40)

    @property
    def damage(self) -> str:
        """What can have happened to it on the way."""
        return DAMAGES[self.sku[3:6]]

    @property
    def record(self) -> dict[str, Any]:
        """As the shop's system answers."""
        return {
            "order": self.number,
            "customer_id": self.customer,
            "email": self.email,
            "ship_to": {"name": self.person, "city": self.city},
            "lines": [{"sku": self.sku, "title": self.product, "quantity": 1, "price_eur": self.price}],
            "carrier": self.carrier,
            "tracking": self.tracking,
            "delivered_days_ago": self.days,
        }
