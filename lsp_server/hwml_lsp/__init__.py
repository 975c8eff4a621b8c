"""Language server of hwml: renders what `hwml_sdk.document` says for editors. Importing it loads nothing."""

import sys

# `python -m hwml_lsp...` without -P puts the current folder first, and an editor starts us in a workspace: what lies
# there must not be imported. So before any other import; sys.argv says that the module is still looked for.
_STARTED_BY_NAME = sys.argv[:1] == ["-m"] and not sys.flags.safe_path
if _STARTED_BY_NAME and sys.orig_argv[-len(sys.argv)].removeprefix("-m").partition(".")[0] == __name__:
    del sys.path[0]
