"""Renew the golden days on purpose: ``make golden``. Read the difference before you commit it."""

from tests.golden.record import FILE, days, text

if __name__ == "__main__":
    FILE.write_text(text(days()), encoding="utf-8")
