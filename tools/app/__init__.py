"""The app's side of a package: settings and constants for its sources, models on the phone."""
