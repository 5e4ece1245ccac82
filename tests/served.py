"""The app, or another Streamlit script, in a process of its own."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 60


@contextmanager
def served(script: Path, cache: Path, log: Path, *options: str, under: str = "") -> Iterator[str]:
    """Serve a script on a free port and yield its address.

    Args:
        script: for Streamlit.
        cache: folder it uses.
        log: file that its output goes into.
        options: more of Streamlit's.
        under: path of the address, as behind a proxy.

    Raises:
        TimeoutError: it ended, or did not answer in time.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "PRIORSCOPE_CACHE": str(cache), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port), *options]
    command += ["--server.baseUrlPath", under] if under else []
    url = "/".join(filter(None, (f"http://localhost:{port}", under)))
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            _until_it_answers(f"{url}/_stcore/health", process, log)
            yield url
        finally:
            process.terminate()
            process.wait(20)


def _until_it_answers(url: str, process: subprocess.Popen, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"{url} did not answer within {START_SECONDS} s: {log.read_text()[-2000:]}")
