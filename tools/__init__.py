"""Command-line tools behind the rules: each does one thing and is runnable by hand."""
