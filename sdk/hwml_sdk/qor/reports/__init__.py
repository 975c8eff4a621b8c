"""Reports of the HLS tool: read, found beside sources, held against predictions, learned from."""
