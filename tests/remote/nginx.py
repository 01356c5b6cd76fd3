"""nginx as Bazel's HTTP cache, with the `location` that docs/remote.md shows."""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Iterator

from tests.remote.documented import documented
from tests.remote.processes import Process, free_port, installed, listens, wait_for

# One process of the caller's, which neither changes its user nor writes outside of its folder.
_CONFIG = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
{location}
    }}
}}
"""


@contextlib.contextmanager
def running(folder: pathlib.Path) -> Iterator[str]:
    """The URL of a cache that is kept in a folder; the server ends with the context."""
    port = free_port()
    location = documented("nginx").replace("/srv/bazel", str(folder))
    config = folder / "nginx.conf"
    config.write_text(_CONFIG.format(folder=folder, port=port, location=location))
    nginx = Process(
        folder / "nginx.log",
        *(installed("root/usr/sbin/nginx"), "-p", folder, "-e", "stderr", "-c", config),
    )
    try:
        wait_for(lambda: listens(port), "nginx", nginx)
        yield f"http://127.0.0.1:{port}"
    finally:
        nginx.end()
