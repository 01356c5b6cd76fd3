"""Packages: archives of libraries, the app config, the manifest, and the installer."""
