"""hwml for coding agents: its tools over the Model Context Protocol (`hwml mcp`)."""
