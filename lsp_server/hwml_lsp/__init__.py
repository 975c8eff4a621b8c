"""Language server of hwml: renders what `hwml_sdk.document` says for editors. Importing it loads nothing."""
