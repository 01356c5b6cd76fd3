"""Upstream's runtime, built from its sources by its own scripts."""
