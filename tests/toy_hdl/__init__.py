"""A language of its own beside hwml: one record and one provider, as another package would bring them."""
