"""`python -m tests.qor.pins.golden`: write the figures and tables anew."""

from . import write
from .tables import write_tables

write()
write_tables()
