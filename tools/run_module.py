"""Run a module of this repository with exactly these packages: run_module.py SITE MODULE [ARG...].

Started as `python3 -s -S -B`, so that neither the machine's own packages nor the current directory
are importable. The one argument --persistent_worker makes it a Bazel persistent worker for MODULE.
"""

import os
import runpy
import sys


def main() -> None:
    """Replace the import path's first entry, this script's folder, and run MODULE as `__main__`."""
    site, module, *arguments = sys.argv[1:]
    sys.path[0:1] = [os.path.dirname(os.path.dirname(__file__)) or ".", site]
    sys.argv = [module, *arguments]
    if site:
        from tools import archived_packages

        archived_packages.install(site)
    if arguments == ["--persistent_worker"]:
        from tools.worker.server import serve

        serve(module)
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
