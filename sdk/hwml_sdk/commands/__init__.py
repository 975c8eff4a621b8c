"""One module per `hwml` command: arguments, a call into the SDK, printing."""
