"""The file system that a Worker sees: its own files, a private tree, nothing of the host."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from inside import inside
from isolates import ForkedIsolates, write

from emulator.isolate.python.sandbox.private import base_directory

WORKER = """
import os
from pathlib import Path
from js import Response

async def on_fetch(request):
    source = await request.text()
    scope = dict(globals())
    try:
        exec(source, scope)
        return Response.new(repr(scope["result"]))
    except Exception as error:
        return Response.new(f"{type(error).__name__}: {error}")
"""


@pytest.fixture
def run(load):
    """Run statements in a handler; gives ``result`` as its ``repr``, or the exception."""
    worker = load(WORKER, {"src/data.txt": "数据"})

    def run(source):
        run.last = worker.fetch("POST", "/", body=source.encode())
        return run.last.text

    run.worker = worker
    return run


def test_own_files_are_there_under_both_names(run):
    assert run("result = Path(__file__).with_name('data.txt').read_text()") == "'数据'"
    assert run("result = open('/session/metadata/data.txt').read()") == "'数据'"
    assert run("result = sorted(os.listdir('/session/metadata'))") == "['data.txt', 'entry.py']"
    assert run("result = Path(__file__).resolve(strict=True) == Path(__file__)") == "True"


@pytest.mark.parametrize(
    "source",
    [
        "open(__file__, 'a')",
        "os.open(__file__, os.O_RDWR)",
        "os.remove(__file__)",
        "os.rename(__file__, '/tmp/x')",
        "os.mkdir(os.path.dirname(__file__) + '/new')",
        "os.chmod(__file__, 0)",
        "open('/session/metadata/data.txt', 'w')",
        "os.symlink('x', __file__ + '.link')",
        "__import__('posix').remove(__file__)",
        "__import__('_io').FileIO(__file__, 'w')",
        "os.remove('data.txt', dir_fd=os.open(os.path.dirname(__file__), 0))",
        "__import__('sqlite3').connect(os.path.dirname(__file__) + '/x.db')",
    ],
)
def test_own_files_are_read_only(run, source):
    assert run(f"result = {source}").startswith("OSError: [Errno 30] Read-only file system: ")
    assert run("result = Path(__file__).with_name('data.txt').read_text()") == "'数据'"
    assert run("result = os.access(__file__, os.W_OK)") == "False"


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "/proc/self/environ", "/etc", "/root/.ssh/id_rsa", "/nowhere"]
)
@pytest.mark.parametrize("use", ["open", "os.stat", "os.listdir", "os.scandir", "os.chdir"])
def test_the_host_is_not_there(run, path, use):
    assert (
        run(f"result = {use}({path!r})")
        == f"FileNotFoundError: [Errno 2] No such file or directory: {path!r}"
    )


@pytest.mark.parametrize(
    "source", ["__import__('posix').open('/etc/passwd', 0)", "__import__('_io').FileIO('/etc/passwd')"]
)
def test_the_host_is_not_there_past_the_view_either(run, source):
    assert run(f"result = {source}").startswith("FileNotFoundError")


def test_a_file_that_only_the_host_has_is_explained(run):
    run("open('/etc/passwd')")
    assert run.last.lines == [
        "src/entry.py:10: /etc/passwd exists on this computer, but a Worker sees only its own files. "
        "Put the file into the project, or keep the data in a binding (KV, R2, D1)."
    ]


def test_a_path_relative_to_the_project_is_explained(run):
    assert run("open('data.txt')") == "FileNotFoundError: [Errno 2] No such file or directory: 'data.txt'"
    (line,) = run.last.lines
    assert line.startswith("src/entry.py:10: ") and line.endswith("Use Path(__file__).parent / 'data.txt'.")


def test_root_directory(run):
    assert run("result = os.getcwd()") == "'/'"
    assert run("result = sorted(os.listdir())") == "['dev', 'home', 'lib', 'proc', 'session', 'tmp']"
    assert run("result = str(Path.home()), str(Path.cwd())") == "('/session', '/')"


def test_writes_stay_in_the_isolate(run, load, tmp_path):
    assert run("result = open('/tmp/x', 'w').write('你好')") == "2"
    assert run("result = open('note', 'w').write('hi')") == "2"
    assert (
        run("result = open('/tmp/x').read(), open('/note').read(), open('/tmp/x').name")
        == "('你好', 'hi', '/tmp/x')"
    )
    other = load(WORKER)
    assert "FileNotFoundError" in other.fetch("POST", "/", body=b"result = open('/tmp/x')").text


def test_nothing_is_left_behind(run):
    place = "__import__('posix').readlink(f'/proc/self/fd/{os.open(\"/tmp\", 0)}')"
    host = run(f"open('/tmp/x', 'w').write('x'); result = {place}").strip("'")
    from pathlib import Path

    assert Path(host, "x").read_text() == "x"
    assert run.worker.retire() == 0
    assert not Path(host).parent.exists()


def test_what_a_killed_isolate_left_is_removed_by_the_next(run, load):
    from pathlib import Path

    place = "__import__('posix').readlink(f'/proc/self/fd/{os.open(\"/tmp\", 0)}')"
    host = run(f"open('/tmp/x', 'w').write('x'); result = {place}").strip("'")
    run.worker.kill()
    run.worker.until(lambda: run.worker.status is not None)
    assert load(WORKER).fetch("POST", "/", body=b"result = os.listdir('/')").status == 200
    assert not Path(host).parent.exists()


@inside
def test_directories_and_renames():
    import glob
    import os
    import pathlib
    import shutil

    os.makedirs("/data/a/b")
    pathlib.Path("/data/a/b/c.txt").write_text("c")
    os.rename("/data/a/b/c.txt", "/data/a/d.txt")
    assert list(os.walk("/data")) == [
        ("/data", ["a"], []),
        ("/data/a", ["b"], ["d.txt"]),
        ("/data/a/b", [], []),
    ]
    assert [entry.path for entry in os.scandir("/data/a") if entry.is_file()] == ["/data/a/d.txt"]
    shutil.copytree("/data", "/copy")
    shutil.copy2("/data/a/d.txt", "/copy/e.txt")
    assert sorted(glob.glob("/copy/**", recursive=True)) == [
        "/copy/",
        "/copy/a",
        "/copy/a/b",
        "/copy/a/d.txt",
        "/copy/e.txt",
    ]
    assert sorted(map(str, pathlib.Path("/copy").rglob("*.txt"))) == ["/copy/a/d.txt", "/copy/e.txt"]
    shutil.rmtree("/copy")
    shutil.rmtree("/data")
    assert not os.path.exists("/copy") and not os.path.exists("/data")


@inside
def test_working_directory_and_links():
    import os

    os.makedirs("/work")
    os.chdir("/work")
    open("file", "w").close()
    assert os.getcwd() == "/work" and os.listdir() == ["file"] and os.path.abspath("x") == "/work/x"
    os.symlink("/work/file", "/work/link")
    assert os.readlink("/work/link") == "/work/file" == os.path.realpath("link")
    os.chdir("/")
    assert os.listdir(b"/work")[0] in (b"file", b"link")


@inside
def test_libraries_that_open_files_themselves():
    import bz2
    import gzip
    import lzma
    import os
    import sqlite3
    import tarfile
    import tempfile
    import zipfile

    with sqlite3.connect("/tmp/a.db") as db:
        db.execute("create table t(a)")
    assert sqlite3.connect("file:/tmp/a.db?mode=ro", uri=True).execute(
        "select name from sqlite_master"
    ).fetchall() == [("t",)]
    assert sqlite3.connect(":memory:").execute("select 1").fetchall() == [(1,)]
    for module in (bz2, gzip, lzma):
        with module.open("/tmp/packed", "wb") as file:
            file.write(b"data")
        with module.open("/tmp/packed") as file:
            assert file.read() == b"data"
    with zipfile.ZipFile("/tmp/a.zip", "w") as archive:
        archive.writestr("a", "b")
    with tarfile.open("/tmp/a.tar", "w") as archive:
        archive.add("/tmp/a.zip")
    with tempfile.NamedTemporaryFile() as file:
        assert file.name.startswith("/tmp/") and os.path.exists(file.name)
    assert not os.path.exists(file.name)
    with tempfile.TemporaryDirectory() as directory:
        open(os.path.join(directory, "x"), "w").close()
    assert not os.path.exists(directory)
    with tempfile.TemporaryFile() as file:
        assert file.write(b"abc") == 3


@inside
def test_python_and_its_packages_are_readable():
    import importlib.resources
    import inspect
    import json
    from zoneinfo import ZoneInfo

    assert "JSON" in importlib.resources.files("json").joinpath("__init__.py").read_text()
    assert inspect.getsource(json.dumps).startswith("def dumps")
    assert ZoneInfo("UTC").key == "UTC"


@inside
def test_devices():
    with open("/dev/null", "w") as nothing, open("/dev/urandom", "rb") as noise:
        assert nothing.write("gone") == 4
        assert len(noise.read(4)) == 4


WRITER = """
from workers import Response

def on_fetch(request):
    with open("/tmp/note", "w") as file:
        file.write("x")
    return Response("written")
"""


def test_what_was_written_goes_with_the_fork_server(tmp_path: Path) -> None:
    with ForkedIsolates() as own:
        isolate = own.load(write(tmp_path, {"src/entry.py": WRITER}))
        process = own.pid(isolate)
        assert isolate.fetch("GET", "/").text == "written"
        assert [name for name in os.listdir(base_directory()) if name.startswith(f"{process}-")]
    assert not [name for name in os.listdir(base_directory()) if name.startswith(f"{process}-")]
