"""Bundled models of a package onto an Android device, by adb."""
