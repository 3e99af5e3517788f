"""Compare the throughput and the memory of `nyc_taxi.download` with curl's.

    python benchmarks/download.py [--megabytes 300] [--rounds 11]

A separate process serves a file of random bytes on loopback with `sendfile`. In each round, curl
and our download fetch it in turn to the same folder, each after a sync of the file system. The
figures are medians. Our time is taken inside the process, without the start of Python and the
import of requests; curl's time is that of its whole process.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent

SERVE = """
import os, socketserver, sys
class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        while not self.request.recv(65536).endswith(b"\\r\\n\\r\\n"):
            pass
        with open(sys.argv[1], "rb") as file:
            size = os.fstat(file.fileno()).st_size
            self.request.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n"
                                 b"Connection: close\\r\\n\\r\\n" % size)
            self.request.sendfile(file)
with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
"""
OURS = """
import json, sys
from pathlib import Path
import requests
from nyc_taxi.download import download
got = download(sys.argv[1], Path(sys.argv[2]), check=str)
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"seconds": got.duration_s, "peak_kb": int(peak)}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--megabytes", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=11)
    options = parser.parse_args()
    if not shutil.which("curl"):
        sys.exit("curl is not installed, so there is nothing to compare with.")
    with tempfile.TemporaryDirectory() as folder:
        compare(Path(folder), options.megabytes, options.rounds)


def compare(folder: Path, megabytes: int, rounds: int) -> None:
    """Print the seconds of both, their ratio, and our memory for two sizes of file."""
    small, large = folder / "small", folder / "large"
    write_random(small, 1)
    write_random(large, megabytes)
    with Served(small) as url:
        small_kb = ours(url, folder)["peak_kb"]
    with Served(large) as url:
        ours(url, folder)
        pairs = [(curl(url, folder), ours(url, folder)) for _ in range(rounds)]
    curl_s = median(seconds for seconds, _ in pairs)
    ours_s = median(run["seconds"] for _, run in pairs)
    large_kb = max(run["peak_kb"] for _, run in pairs)
    print(f"{megabytes} MB, median of {rounds}")
    print(f"  curl  {curl_s:6.3f} s  {megabytes / curl_s:6.0f} MB/s")
    print(f"  ours  {ours_s:6.3f} s  {megabytes / ours_s:6.0f} MB/s, with SHA-256 and length check")
    print(f"  throughput of ours over curl's: {curl_s / ours_s:.2f}")
    print(f"  peak memory of ours: 1 MB {small_kb / 1024:.1f} MiB, "
          f"{megabytes} MB {large_kb / 1024:.1f} MiB")  # fmt: skip


def write_random(path: Path, megabytes: int) -> None:
    with open(path, "wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(1_000_000))


def curl(url: str, folder: Path) -> float:
    os.sync()
    started = time.perf_counter()
    subprocess.run(["curl", "-sfo", folder / "curl", url], check=True)
    seconds = time.perf_counter() - started
    (folder / "curl").unlink()
    return seconds


def ours(url: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-c", OURS, url, folder / "ours"]
    os.sync()
    output = subprocess.check_output(command, cwd=ROOT)
    (folder / "ours").unlink()
    figures: dict[str, float] = json.loads(output)
    return figures


class Served:
    """A process that serves one file: `with Served(path) as url:`."""

    def __init__(self, path: Path) -> None:
        self._command = [sys.executable, "-c", SERVE, str(path)]

    def __enter__(self) -> str:
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        return f"http://127.0.0.1:{self._process.stdout.readline().strip()}/file"

    def __exit__(self, *exception: object) -> None:
        self._process.kill()
        self._process.communicate()


if __name__ == "__main__":
    main()
