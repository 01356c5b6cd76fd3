"""Packages as OCI artifacts."""
