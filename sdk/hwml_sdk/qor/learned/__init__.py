"""What labelled designs taught: features, the correction of the closed form, tables and labels."""
