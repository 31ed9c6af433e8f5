"""Renew what is written down on purpose: ``make golden``. Read the difference before you commit it."""

from tests.golden import levels, record

if __name__ == "__main__":
    record.FILE.write_text(record.text(record.days()), encoding="utf-8")
    levels.FILE.write_text(levels.text(levels.quantiles()), encoding="utf-8")
