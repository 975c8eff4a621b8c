"""Rules that propose repairs, by what is wrong; `fixes.py` says how they are used."""

ORDER = ("syntax", "names", "values", "idioms", "circuits", "lowering")
