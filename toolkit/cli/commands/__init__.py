"""A file for each command, or for two that share what they do. Each parses, calls and renders."""
