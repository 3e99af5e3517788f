"""What is recorded of the ways to read a file, a folder or a variable, each in a real run."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from ways_to_read import ReadingProject, without_programs

# The ways are as people write them, and many of them leave a file open.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

FILE = {"file data/a.csv"}
WAYS = {
    "open": ("open('data/a.csv').read()", FILE),
    "open as bytes": ("open(b'data/a.csv', 'rb').read()", FILE),
    "open by an absolute path": ("open(os.path.abspath('data/a.csv')).read()", FILE),
    "open from a folder that it changed to": ("os.chdir('data')\nopen('a.csv').read()", FILE),
    "io.open": ("import io\nio.open('data/a.csv').read()", FILE),
    "os.open": ("os.close(os.open('data/a.csv', os.O_RDONLY))", FILE),
    "codecs.open": ("import codecs\ncodecs.open('data/a.csv', encoding='utf-8').read()", FILE),
    "Path.read_text": ("Path('data/a.csv').read_text()", FILE),
    "Path.read_bytes": ("Path('data/a.csv').read_bytes()", FILE),
    "Path.open": ("Path('data/a.csv').open().read()", FILE),
    "csv": ("import csv\nlist(csv.reader(open('data/a.csv')))", FILE),
    "json": ("import json\njson.load(open('data/a.json'))", {"file data/a.json"}),
    "pickle": ("import pickle\npickle.load(open('data/a.pickle', 'rb'))", {"file data/a.pickle"}),
    "tomllib": ("import tomllib\ntomllib.load(open('data/a.toml', 'rb'))", {"file data/a.toml"}),
    "configparser": (
        "import configparser\nconfigparser.ConfigParser().read('data/a.ini')",
        {"file data/a.ini"},
    ),
    "gzip": ("import gzip\ngzip.open('data/a.csv.gz').read()", {"file data/a.csv.gz"}),
    "zipfile": (
        "import zipfile\nzipfile.ZipFile('data/a.zip').read('a.csv')",
        {"file data/a.zip"},
    ),
    "mmap": (
        "import mmap\nmmap.mmap(open('data/a.csv').fileno(), 0, prot=mmap.PROT_READ)[:]",
        FILE,
    ),
    "fileinput": ("import fileinput\nlist(fileinput.input('data/a.csv'))", FILE),
    "linecache of a data file": ("open('data/a.csv').readlines()", FILE),
    "runpy": ("import runpy\nrunpy.run_path('data/script.py')", {"file data/script.py"}),
    "sqlite": (
        "import sqlite3\nsqlite3.connect('data/a.db').execute('select * from t').fetchall()",
        {"file data/a.db"},
    ),
    "sqlite by a URI": (
        "import sqlite3\nsqlite3.connect('file:data/a.db?mode=ro', uri=True)"
        ".execute('select * from t').fetchall()",
        {"file data/a.db"},
    ),
    "another program": (
        "import subprocess\nsubprocess.run(['cat', 'data/a.csv'], capture_output=True)",
        FILE,
    ),
    "another program in a folder": (
        "import subprocess\nsubprocess.run(['cat', 'a.csv'], capture_output=True, cwd='data')",
        FILE,
    ),
    "a shell": ("os.system('cat data/a.csv > /dev/null')", FILE),
    "os.popen": ("with os.popen('cat data/a.csv') as out: out.read()", FILE),
    "a thread": (
        "import threading\n"
        "t = threading.Thread(target=Path('data/a.csv').read_text)\nt.start()\nt.join()",
        FILE,
    ),
    "a pool of threads": (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(2) as pool: list(pool.map(Path.read_text, [Path('data/a.csv')]))",
        FILE,
    ),
    "asyncio.to_thread": (
        "import asyncio\nasyncio.run(asyncio.to_thread(Path('data/a.csv').read_text))",
        FILE,
    ),
    "os.listdir": ("os.listdir('data')", {"folder data"}),
    "os.scandir": ("list(os.scandir('data'))", {"folder data"}),
    "Path.iterdir": ("list(Path('data').iterdir())", {"folder data"}),
    "os.walk": ("list(os.walk('data'))", {"folder data", "folder data/inner"}),
    "glob.glob": ("import glob\nglob.glob('data/*.csv')", {"pattern data/*.csv"}),
    "glob.iglob": ("import glob\nlist(glob.iglob('data/*.csv'))", {"pattern data/*.csv"}),
    "glob in a root": (
        "import glob\nglob.glob('*.csv', root_dir='data')",
        {"pattern data/*.csv"},
    ),
    "Path.glob": ("list(Path('data').glob('*.csv'))", {"pattern data/*.csv"}),
    "Path.rglob": ("list(Path('data').rglob('*.csv'))", {"pattern data/**/*.csv"}),
    "os.environ[]": ("os.environ['FACTOR']", {"variable FACTOR"}),
    "os.environ.get": ("os.environ.get('FACTOR')", {"variable FACTOR"}),
    "os.getenv": ("os.getenv('FACTOR')", {"variable FACTOR"}),
    "in os.environ": ("'FACTOR' in os.environ", {"variable FACTOR"}),
    "os.path.expandvars": ("os.path.expandvars('$FACTOR/x')", {"variable FACTOR"}),
    "os.path.exists": ("os.path.exists('data/none.csv')", {"existence data/none.csv"}),
    "Path.exists": ("Path('data/none.csv').exists()", {"existence data/none.csv"}),
    "os.path.isfile": ("os.path.isfile('data/a.csv')", {"existence data/a.csv"}),
    "Path.is_dir": ("Path('data').is_dir()", {"existence data"}),
    "os.path.getmtime": ("os.path.getmtime('data/a.csv')", {"status data/a.csv"}),
    "Path.stat": ("Path('data/a.csv').stat().st_size", {"status data/a.csv"}),
    "a failed open": (
        "try: open('data/none.csv')\nexcept OSError: pass",
        {"existence data/none.csv"},
    ),
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReadingProject:
    root = tmp_path / "project"
    (root / "data" / "inner").mkdir(parents=True)
    _fill(root / "data")
    monkeypatch.chdir(root)
    monkeypatch.setenv("FACTOR", "3")
    return ReadingProject(root)


def _fill(folder: Path) -> None:
    import gzip
    import json
    import pickle
    import sqlite3
    import zipfile

    (folder / "a.csv").write_text("a,b\n1,2\n")
    (folder / "b.csv").write_text("a,b\n3,4\n")
    (folder / "a.json").write_text(json.dumps([{"a": 1}]))
    (folder / "a.pickle").write_bytes(pickle.dumps(1))
    (folder / "a.toml").write_text("a = 1\n")
    (folder / "a.ini").write_text("[a]\nb = 1\n")
    (folder / "script.py").write_text("x = 1\n")
    (folder / "a.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n"))
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("a.csv", "a,b\n1,2\n")
    connection = sqlite3.connect(folder / "a.db")
    connection.execute("create table t (a)")
    connection.commit()
    connection.close()


@pytest.mark.parametrize("way", WAYS)
def test_each_way_to_read_is_recorded_by_what_was_read(project: ReadingProject, way: str) -> None:
    body, expected = WAYS[way]
    assert without_programs(project.reads(body)) == expected
    gc.collect()  # the warnings about files left open, where they are not errors
