"""The arithmetic that tells a real number from digits that only look like one."""

from __future__ import annotations

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)

# ISO 13616: how long an account number is in each country.
IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FK FI FO GL NL SD",
        19: "MK SI",
        20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ OM SO TL",
        24: "AD CZ DZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HU LB NI PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU YE",
        31: "MT SC",
        33: "RU LC",
    }.items()
    for country in countries.split()
}
IBAN_LENGTHS["LC"] = 32


def luhn(digits: str) -> bool:
    """ISO/IEC 7812's check digit, and not one digit many times."""
    if len(set(digits)) == 1:
        return False
    total = sum(int(d) for d in digits[-1::-2]) + sum(_DOUBLED[int(d)] for d in digits[-2::-2])
    return total % 10 == 0


def card_lengths(digits: str) -> tuple[int, ...]:
    """How long a card's number is that begins so; none where no issuer does."""
    two, three, four = int(digits[:2]), int(digits[:3]), int(digits[:4])
    if digits[0] == "4":
        return 16, 19, 13
    if 51 <= two <= 55 or 2221 <= four <= 2720:
        return (16,)
    if two in (34, 37) or four in (1800, 2131):
        return (15,)
    if 300 <= three <= 305 or two in (36, 38, 39):
        return (14,)
    if two == 35:  # JCB: 3528 to 3589 today
        return 16, 19
    if two in (50, 56, 57, 58) or digits[0] == "6":  # Maestro, Discover, UnionPay
        return 16, 19, 18, 17, 15, 14, 13, 12
    return ()


def iban(text: str) -> bool:
    """ISO 7064 mod 97-10 over the letters and digits, in upper case, of the country's length."""
    if IBAN_LENGTHS.get(text[:2]) != len(text):
        return False
    return int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1


def ssn(digits: str) -> bool:
    """Whether the Social Security Administration could have given these nine digits."""
    return digits[:3] not in ("000", "666") and digits[0] != "9" and digits[3:5] != "00" and digits[5:] != "0000"
