"""Pictures and words of listings: found by name, never by path; too large or unreachable is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from hub.contract import ConfigurationError, TransientError
from hub.host import pictures
from hub.host.pictures import Gallery


def test_files_are_found_by_sku_the_main_ones_first(tmp_path: Path) -> None:
    for name in ("A-2.png", "A.JPG", "B.webp", "C.jpg", "A.gif", "B.html"):
        (tmp_path / name).write_text(name)
    gallery = Gallery(str(tmp_path))
    found = gallery.pictures(("A", "B"))
    assert [(each.name, each.media_type) for each in found] == [
        ("A.JPG", "image/jpeg"), ("B.webp", "image/webp"), ("A-2.png", "image/png"),
    ]  # fmt: skip
    assert gallery.words(("A", "B")) == "B.html"


def test_no_sku_leads_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_text("x")
    (tmp_path / "images").mkdir()
    assert Gallery(str(tmp_path / "images")).pictures(("../secret", "/etc/passwd", "")) == ()


def test_a_stamp_moves_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "A.jpg").write_text("x")
    before = Gallery(str(tmp_path)).stamps(["A"])
    (tmp_path / "A.jpg").write_text("longer")
    assert Gallery(str(tmp_path)).stamps(["A"]) != before


def test_a_missing_folder_and_a_large_file_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="images-unreadable"):
        Gallery(str(tmp_path / "none")).check()
    monkeypatch.setattr(pictures, "MOST_BYTES", 3)
    (tmp_path / "A.jpg").write_text("long")
    with pytest.raises(ConfigurationError, match=r"image-too-big: A\.jpg"):
        Gallery(str(tmp_path)).pictures(("A",))


def test_pictures_are_fetched_by_sku_and_none_where_there_is_none(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/p/A%20B.jpg").respond_with_data("jpg", content_type="image/jpeg")
    httpserver.expect_request("/p/A B.jpg").respond_with_data("jpg", content_type="image/jpeg")
    httpserver.expect_request("/p/page.jpg").respond_with_data("<html>", content_type="text/html")
    httpserver.expect_request("/p/NONE.jpg").respond_with_data("", status=404)
    httpserver.expect_request("/p/DOWN.jpg").respond_with_data("", status=503)
    gallery = Gallery(httpserver.url_for("/p/{sku}.jpg"))
    assert [each.content for each in gallery.pictures(("A B", "NONE", "page"))] == [b"jpg"]
    assert (gallery.words(("A B",)), gallery.stamps(["A B"])) == (None, [gallery.source])
    with pytest.raises(TransientError, match="images-unreachable"):
        gallery.pictures(("DOWN",))


def test_a_fetched_picture_that_is_too_large_is_not_read_to_its_end(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "MOST_BYTES", 3)
    httpserver.expect_request("/A.jpg").respond_with_data("long", content_type="image/jpeg")
    with pytest.raises(ConfigurationError, match="image-too-big"):
        Gallery(httpserver.url_for("/{sku}.jpg")).pictures(("A",))
