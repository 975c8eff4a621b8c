"""The encoder path: a design as one fixed text, a frozen encoder's vector of it, and a small head."""
