"""The Python part of ``./bazelw``: chooses, fetches and installs the Bazel that it runs.

Standard library only, so that it runs on a machine with nothing but python3 and pip. The modules,
in the order an install uses them: `machine` (is this machine supported), `mirrors` (where apt gets
its packages), `index` (the signed index), `download`, `install` (order, locks, cleaning up), and
the folder `prefix`, whose content alone decides what is installed: ``bazelw`` names the install
folder after a digest of that folder.
"""
