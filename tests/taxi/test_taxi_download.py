"""`nyc_taxi.download` against a server that misbehaves."""

from __future__ import annotations

import hashlib
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from servers import Answer, Server, refusing_url

from nyc_taxi import download as module
from nyc_taxi.download import Patience, download
from nyc_taxi.download_errors import (
    BrokenTransferError,
    BusyError,
    DownloadError,
    RefusedError,
    UnreachableError,
    WrongFileError,
)

BODY = b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(40_000))  # 1.28 MB
ETAG = {"ETag": '"one"'}


@dataclass
class Clock:
    """A clock that advances only when something sleeps."""

    seconds: float = 0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    def patience(self, **changes: float) -> Patience:
        return Patience(sleep=self.sleep, clock=lambda: self.seconds, **changes)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server():
    with Server() as running:
        yield running


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "raw" / "file.bin"


def fetch(url: str, path: Path, patience: Patience, **options: object):
    return download(url, path, check=len_of, patience=patience, **options)


def len_of(path: Path) -> int:
    return path.stat().st_size


def assert_untouched(path: Path) -> None:
    """Check that the old file is unchanged and nothing lies beside it."""
    assert [found.name for found in path.parent.iterdir()] == [path.name]
    assert path.read_bytes() == b"old"


@pytest.fixture
def old(path: Path) -> Path:
    path.parent.mkdir()
    path.write_bytes(b"old")
    return path


def test_a_download_gives_the_bytes_and_what_is_known_of_them(server, path, clock):
    url = server.answers("/f", Answer(BODY))
    seen = []
    got = fetch(url, path, clock.patience(), progress=lambda *step: seen.append(step))
    assert path.read_bytes() == BODY
    assert (got.url, got.path, got.bytes, got.facts) == (url, path, len(BODY), len(BODY))
    assert got.sha256 == hashlib.sha256(BODY).hexdigest()
    assert seen[-1] == (len(BODY), len(BODY))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert len(seen) > 3
    assert clock.slept == []
    assert server.requests[0].headers["Accept-Encoding"] == "identity"


def test_a_download_leaves_nothing_else_and_takes_the_mode_that_files_have(server, path, clock):
    (path.parent).mkdir()
    (path.parent / "plain").write_bytes(b"")
    fetch(server.answers("/f", Answer(BODY)), path, clock.patience())
    assert sorted(found.name for found in path.parent.iterdir()) == ["file.bin", "plain"]
    assert path.stat().st_mode == (path.parent / "plain").stat().st_mode


def test_an_answer_without_a_length_is_taken_whole(server, path, clock):
    seen = []
    url = server.answers("/f", Answer(BODY, length=None))
    fetch(url, path, clock.patience(), progress=lambda *step: seen.append(step))
    assert path.read_bytes() == BODY
    assert seen[-1] == (len(BODY), None)


def test_a_redirection_is_followed(server, path, clock):
    server.answers("/there", Answer(BODY))
    url = server.answers("/here", Answer(status=302, headers={"Location": "/there"}))
    fetch(url, path, clock.patience())
    assert path.read_bytes() == BODY


@pytest.mark.parametrize("status", [403, 408, 429, 500, 502, 503])
def test_a_passing_refusal_is_tried_again_after_longer_and_longer_waits(
    server, path, clock, status
):
    refusal = Answer(status=status)
    notices = []
    url = server.answers("/f", refusal, refusal, refusal, Answer(BODY))
    fetch(url, path, clock.patience(), notice=notices.append)
    assert path.read_bytes() == BODY
    assert clock.slept == [2, 4, 8]
    assert len(notices) == 3
    assert f"answered {status}" in notices[0]
    assert "Trying again in 2 s" in notices[0]


def test_a_refusal_that_does_not_pass_is_an_error_in_the_end(server, old, clock):
    with pytest.raises(BusyError, match="answered 503 Service Unavailable") as caught:
        fetch(server.answers("/f", Answer(status=503)), old, clock.patience())
    assert caught.value.status == 503
    assert len(server.requests) == 6
    assert sum(clock.slept) == 62
    assert_untouched(old)


@pytest.mark.parametrize("status", [204, 400, 401, 404, 410])
def test_a_lasting_refusal_is_an_error_at_once(server, old, clock, status):
    with pytest.raises(RefusedError, match=f"answered {status} ") as caught:
        fetch(server.answers("/f", Answer(status=status)), old, clock.patience())
    assert caught.value.status == status
    assert len(server.requests) == 1
    assert_untouched(old)


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "0"}, 0),
        (
            {
                "Retry-After": "Fri, 31 Mar 2023 10:00:09 GMT",
                "Date": "Fri, 31 Mar 2023 10:00:00 GMT",
            },
            9,
        ),
        ({"Retry-After": "soon"}, 2),
    ],
)
def test_the_host_may_say_when_to_come_back(server, path, clock, headers, wait_s):
    url = server.answers("/f", Answer(status=429, headers=headers), Answer(BODY))
    fetch(url, path, clock.patience())
    assert clock.slept == [wait_s]


def test_a_host_that_asks_for_too_long_a_wait_is_not_waited_for(server, old, clock):
    url = server.answers("/f", Answer(status=429, headers={"Retry-After": "3600"}))
    with pytest.raises(RefusedError, match="asks to wait for 3600 s"):
        fetch(url, old, clock.patience())
    assert clock.slept == []
    assert_untouched(old)


def test_a_transfer_that_is_cut_goes_on_where_it_stopped(server, path, clock):
    cut = Answer(BODY, headers=ETAG, cut=500_000)
    url = server.answers("/f", cut, cut, Answer(BODY, headers=ETAG))
    got = fetch(url, path, clock.patience())
    assert path.read_bytes() == BODY
    assert got.sha256 == hashlib.sha256(BODY).hexdigest()
    asked = [request.headers.get("Range") for request in server.requests]
    assert asked == [None, "bytes=500000-", "bytes=1000000-"]
    assert server.requests[1].headers["If-Range"] == '"one"'
    assert clock.slept == [2, 4]


def test_a_server_that_sends_less_of_a_file_than_was_asked_for_is_asked_for_the_rest(
    server, path, clock
):
    part = BODY[500_000:800_000]
    span = {"Content-Range": f"bytes 500000-799999/{len(BODY)}"}
    less = Answer(part, status=206, headers=span)
    url = server.answers("/f", Answer(BODY, cut=500_000), less, Answer(BODY))
    fetch(url, path, clock.patience())
    assert path.read_bytes() == BODY
    assert server.requests[2].headers["Range"] == "bytes=800000-"


def test_a_connection_that_is_torn_down_is_tried_again(server, path, clock):
    url = server.answers("/f", Answer(BODY, cut=500_000, reset=True), Answer(BODY))
    fetch(url, path, clock.patience())
    assert path.read_bytes() == BODY
    assert clock.slept == [2]


def test_a_transfer_that_falls_silent_goes_on_where_it_stopped(server, path, clock):
    url = server.answers("/f", Answer(BODY, stall=900_000), Answer(BODY))
    notices = []
    fetch(url, path, clock.patience(read_s=0.1), notice=notices.append)
    assert path.read_bytes() == BODY
    assert "Range" in server.requests[1].headers
    assert "sent nothing for 0.1 s" in notices[0]


def test_a_server_that_cannot_resume_sends_it_all_again(server, path, clock):
    url = server.answers("/f", Answer(BODY, cut=500_000), Answer(BODY, ranges=False))
    got = fetch(url, path, clock.patience())
    assert path.read_bytes() == BODY
    assert got.sha256 == hashlib.sha256(BODY).hexdigest()


def test_a_changed_file_is_not_appended_to_its_old_beginning(server, path, clock):
    changed = BODY[::-1]
    url = server.answers(
        "/f",
        Answer(BODY, headers=ETAG, cut=500_000),
        Answer(changed, headers={"ETag": '"two"'}),
    )
    fetch(url, path, clock.patience())
    assert path.read_bytes() == changed


@pytest.mark.parametrize(
    "content_range", ["bytes 7-9/10", "bytes 7-9/*", "nonsense", f"bytes 0-9/{len(BODY)}"]
)
def test_a_part_that_was_not_asked_for_is_not_taken(server, path, clock, content_range):
    wrong = Answer(b"xxx", status=206, headers={"Content-Range": content_range})
    url = server.answers("/f", Answer(BODY, cut=500_000), wrong, Answer(BODY))
    fetch(url, path, clock.patience())
    assert path.read_bytes() == BODY
    assert "Range" not in server.requests[2].headers


@pytest.mark.parametrize("changed", [BODY[:300_000], BODY[::-1] + b"longer"])
def test_a_file_of_another_size_is_downloaded_from_the_start(server, path, clock, changed):
    url = server.answers("/f", Answer(BODY, cut=500_000), Answer(changed))
    fetch(url, path, clock.patience())
    assert path.read_bytes() == changed


def test_a_weak_tag_does_not_prove_that_the_bytes_are_the_same(server, path, clock):
    date = {"Last-Modified": "Wed, 01 Mar 2023 00:00:00 GMT"}
    url = server.answers("/f", Answer(BODY, headers=date | {"ETag": 'W/"one"'}, cut=500_000))
    with pytest.raises(BrokenTransferError):
        fetch(url, path, clock.patience(tries=2))
    assert server.requests[1].headers["If-Range"] == date["Last-Modified"]


def test_a_transfer_that_breaks_every_time_is_an_error(server, old, clock):
    url = server.answers("/f", Answer(BODY, cut=1000, ranges=False))
    with pytest.raises(BrokenTransferError, match="broke off the transfer"):
        fetch(url, old, clock.patience())
    assert len(server.requests) == 6
    assert_untouched(old)


def test_a_length_greater_than_the_file_is_an_error(server, old, clock):
    url = server.answers("/f", Answer(BODY, length=len(BODY) + 100))
    with pytest.raises(BrokenTransferError):
        fetch(url, old, clock.patience())
    assert_untouched(old)


def test_a_host_that_vanishes_after_an_answer_is_not_unreachable(path, clock):
    notices = []
    with ExitStack() as running:
        server = running.enter_context(Server())
        url = server.answers("/f", Answer(BODY, cut=500_000))

        def vanish(text: str) -> None:
            notices.append(text)
            running.close()

        with pytest.raises(BrokenTransferError, match="cannot be reached: connection refused"):
            fetch(url, path, clock.patience(), notice=vanish)
    assert len(notices) == 5


def test_a_file_that_the_check_refuses_does_not_take_the_place_of_the_old_one(server, old, clock):
    def check(found: Path) -> None:
        assert found.read_bytes() == b"<html>No</html>"
        raise ValueError("it is a web page")

    url = server.answers("/f", Answer(b"<html>No</html>"))
    with pytest.raises(WrongFileError, match="sent a wrong file: it is a web page"):
        download(url, old, check=check, patience=clock.patience())
    assert_untouched(old)


def test_a_compressed_answer_is_refused(server, old, clock):
    url = server.answers("/f", Answer(BODY, headers={"Content-Encoding": "gzip"}))
    with pytest.raises(RefusedError, match="as gzip"):
        fetch(url, old, clock.patience())
    assert_untouched(old)


@pytest.mark.parametrize(
    "encoding", ["", "  ", "identity", "Identity", "IDENTITY ", "identity, identity"]
)
def test_an_encoding_that_is_none_may_be_written_as_servers_like(server, path, clock, encoding):
    url = server.answers("/f", Answer(BODY, headers={"Content-Encoding": encoding}))
    assert fetch(url, path, clock.patience()).bytes == len(BODY)
    assert clock.slept == []


def chunked(body: bytes, last: bytes = b"0\r\n\r\n") -> bytes:
    """`body` as `Transfer-Encoding: chunked` sends it."""
    parts = [body[first : first + 60_000] for first in range(0, len(body), 60_000)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + last


@pytest.mark.parametrize("length", [None, len(BODY), 7, len(BODY) + 999])
@pytest.mark.parametrize("word", ["chunked", "Chunked"])
def test_a_chunked_answer_is_as_long_as_its_chunks_whatever_length_it_announces(
    server, path, clock, length, word
):
    answer = Answer(chunked(BODY), headers={"Transfer-Encoding": word}, length=length)
    assert fetch(server.answers("/f", answer), path, clock.patience()).bytes == len(BODY)
    assert path.read_bytes() == BODY
    assert clock.slept == []


def test_a_chunked_answer_without_its_end_goes_on_where_it_stopped(server, path, clock):
    broken = Answer(
        chunked(BODY[:600_000], last=b""),
        headers={"Transfer-Encoding": "chunked"} | ETAG,
        length=None,
    )
    url = server.answers("/f", broken, Answer(BODY, headers=ETAG))
    fetch(url, path, clock.patience())
    assert path.read_bytes() == BODY
    assert server.requests[1].headers["Range"] == "bytes=600000-"


@pytest.mark.parametrize(
    "written",
    ["Bytes {0}-{1}/{2}", "BYTES  {0}-{1}/{2}", " bytes {0} - {1} / {2} ", "bytes {0}-{1}/*"],
)
def test_a_part_is_understood_however_its_range_is_written(server, path, clock, written):
    first, size = 500_000, len(BODY)
    headers = {"Content-Range": written.format(first, size - 1, size)}
    rest = Answer(BODY[first:], status=206, headers=headers)
    url = server.answers("/f", Answer(BODY, cut=first), rest)
    fetch(url, path, clock.patience())
    assert path.read_bytes() == BODY
    assert len(server.requests) == 2


@pytest.mark.parametrize("header", ["  7 ", "7"])
def test_blanks_around_a_wait_that_the_host_asks_for_do_not_matter(server, path, clock, header):
    busy = Answer(status=503, headers={"Retry-After": header})
    fetch(server.answers("/f", busy, Answer(BODY)), path, clock.patience())
    assert clock.slept == [7]


@pytest.mark.parametrize("url", ["nothing", "htp://host/file", "http://", "http://[::1/file"])
def test_an_invalid_url_is_refused_at_once(old, clock, url):
    with pytest.raises(RefusedError, match="cannot be requested") as caught:
        fetch(url, old, clock.patience())
    assert url in str(caught.value)
    assert clock.slept == []
    assert_untouched(old)


def test_a_host_that_refuses_connections_is_unreachable_after_three(old, clock):
    with pytest.raises(UnreachableError, match="cannot be reached: connection refused"):
        fetch(refusing_url(), old, clock.patience())
    assert clock.slept == [0.5, 0.5]
    assert_untouched(old)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"SSH-2.0-x\r\n", "it does not speak HTTP."),
        (b"", "remote end closed connection without response."),
    ],
)
def test_a_server_that_gives_no_answer_in_http_is_unreachable(old, clock, answer, why):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=answer_each, args=(listening, answer), daemon=True).start()
        host = f"127.0.0.1:{listening.getsockname()[1]}"
        with pytest.raises(UnreachableError) as caught:
            fetch(f"http://{host}/file", old, clock.patience())
    assert str(caught.value) == f"{host} cannot be reached: {why}"
    assert_untouched(old)


def answer_each(listening: socket.socket, answer: bytes) -> None:
    with suppress(OSError):  # it was closed
        while True:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(answer)


def test_redirects_without_end_are_refused(server, old, clock):
    url = server.answers("/f", Answer(status=302, headers={"Location": "/f"}))
    with pytest.raises(RefusedError, match=r"/f cannot be requested: Exceeded 30 redirects\.$"):
        fetch(url, old, clock.patience())
    assert_untouched(old)


def test_a_name_that_does_not_resolve_is_unreachable(old, clock):
    with pytest.raises(UnreachableError, match=r"no-such-host\.invalid.*does not resolve"):
        fetch("https://no-such-host.invalid/file", old, clock.patience())
    assert_untouched(old)


def test_a_proxy_that_refuses_the_tunnel_makes_the_host_unreachable(
    server, old, clock, monkeypatch
):
    monkeypatch.setenv("HTTPS_PROXY", server.url(""))
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(UnreachableError, match="the proxy refused the connection"):
        fetch("https://no-such-host.invalid/file", old, clock.patience())
    assert_untouched(old)


def test_a_host_that_takes_the_connection_and_says_nothing_is_unreachable(server, old):
    url = server.answers("/f", Answer(BODY, stall=-1))
    with pytest.raises(UnreachableError, match=r"no answer within 0\.2 s"):
        fetch(url, old, Patience(reach_s=0.2))
    assert_untouched(old)


def test_a_host_that_breaks_the_connection_before_any_answer_is_unreachable(old, clock):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            for _ in range(3):
                listener.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/f"
        with pytest.raises(UnreachableError):
            fetch(url, old, clock.patience())
        thread.join()
    assert_untouched(old)


def test_unreachable_is_decided_in_time_even_while_a_name_is_looked_up(old, monkeypatch):
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: released.wait())
    with pytest.raises(UnreachableError, match="no answer within"):
        fetch("http://localhost/f", old, Patience(reach_s=0.2))
    released.set()  # not before


def test_an_answer_that_comes_too_late_is_closed(monkeypatch):
    closed, go = threading.Event(), threading.Event()

    class Late:
        def close(self) -> None:
            closed.set()

    def request() -> Late:
        go.wait()
        return Late()

    with pytest.raises(TimeoutError):
        module._within(0.01, request)
    go.set()
    assert closed.wait(5)


@pytest.mark.parametrize(
    "error",
    [
        UnreachableError("a"),
        RefusedError("b", 404),
        BusyError("c", 429, 7.0),
        BrokenTransferError("d"),
        WrongFileError("e"),
    ],
)
def test_the_errors_pickle(error):
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))
    assert isinstance(error, DownloadError)


def test_what_a_killed_download_left_is_removed_by_the_next(server, path, clock):
    server.answers("/stall", Answer(BODY, stall=500_000))
    url = server.answers("/f", Answer(BODY))
    script = (
        "import sys, pathlib\n"
        "from nyc_taxi.download import download\n"
        "download(sys.argv[1], pathlib.Path(sys.argv[2]), check=print,"
        " progress=lambda *_: print('going', flush=True))\n"
    )
    victim = subprocess.Popen(
        [sys.executable, "-c", script, server.url("/stall"), str(path)], stdout=subprocess.PIPE
    )
    try:
        assert victim.stdout.readline()
        fetch(url, path, clock.patience())
        assert len(list(path.parent.iterdir())) == 2, "another process's part stays while it lives"
    finally:
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait()
        victim.stdout.close()
    assert len(list(path.parent.iterdir())) == 2
    fetch(url, path, clock.patience())
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_an_interrupted_download_leaves_the_old_file_and_nothing_else(server, old, clock):
    def interrupt(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(server.answers("/f", Answer(BODY)), old, clock.patience(), progress=interrupt)
    assert_untouched(old)


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")
def test_memory_does_not_grow_with_the_file(tmp_path):
    script = (
        "import sys, pathlib\n"
        "from nyc_taxi.download import download\n"
        "download(sys.argv[1], pathlib.Path(sys.argv[2]), check=str)\n"
        "print(*(line.split()[1] for line in open('/proc/self/status') if 'VmHWM' in line))\n"
    )
    peaks = []
    with Server() as server:
        for megabytes in (1, 100):
            url = server.answers("/f", Answer(bytes(megabytes << 20)))
            command = [sys.executable, "-c", script, url, str(tmp_path / "f")]
            peaks.append(int(subprocess.check_output(command)))
    assert peaks[1] - peaks[0] < 10_000, f"{peaks} KB"
