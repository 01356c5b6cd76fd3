"""Compiled model libraries: what they say of themselves, and whether a device can load them."""
