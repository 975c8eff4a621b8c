"""The daemon that keeps the compiler warm, and its clients."""
