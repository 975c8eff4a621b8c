"""`python -m hwml_lsp`: the language server."""

from .cli import main

if __name__ == "__main__":
    raise SystemExit(main())
