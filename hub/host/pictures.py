"""Pictures and words of listings: files named by SKU in a folder, or pictures at a URL with ``{sku}`` in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import httpx

from hub.contract import ConfigurationError, Picture, TransientError

TYPES = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}
WORDS = (".html", ".txt")
MOST_BYTES = 10 * 1024 * 1024
MOST_PICTURES = 9
TIMEOUT_S = 30.0
UNREADABLE = "images-unreadable"


@dataclass(slots=True)
class Gallery:
    """Where a Route's pictures are; ``source`` None: nowhere. A file is looked for by its name, never by a path.

    Raises, on any use: ConfigurationError where the folder cannot be read or a file is too big.
    """

    source: str | None
    _files: dict[str, Path] | None = field(default=None, init=False)

    @property
    def is_url(self) -> bool:
        """Say whether pictures are fetched, not read from a folder."""
        return (self.source or "").startswith(("https://", "http://"))

    def check(self) -> None:
        """Make sure that the folder can be read."""
        if not self.is_url:
            self._listed()

    def stamps(self, skus: Iterable[str]) -> list[str]:
        """Return texts that change when the pictures or the words of these SKUs do; of a URL, the URL alone."""
        if self.is_url:
            return [self.source or ""]
        skus = list(skus)
        found = [(file, file.stat()) for file in [*self._pictures(skus), *self._words(skus)]]
        return [f"{file.name}:{stat.st_size}:{stat.st_mtime_ns}" for file, stat in found]

    def pictures(self, skus: Sequence[str]) -> tuple[Picture, ...]:
        """Return the pictures of these SKUs, the main one of each first.

        Raises:
            TransientError: a URL did not answer.
        """
        if self.is_url:
            found = [self._fetched(sku) for sku in skus[:MOST_PICTURES]]
            return tuple(each for each in found if each is not None)
        return tuple(_read(file) for file in self._pictures(skus))

    def words(self, skus: Sequence[str]) -> str | None:
        """Return the description: the first SKU's that has a file ``SKU.html`` or ``SKU.txt``."""
        found = self._words(skus)
        return found[0].read_text("utf-8", errors="replace").strip() or None if found else None

    def _pictures(self, skus: Iterable[str]) -> list[Path]:
        names, files = list(skus), self._listed()
        main = [f"{sku}{end}" for sku in names for end in TYPES]
        further = [f"{sku}-{n}{end}" for sku in names for n in range(2, MOST_PICTURES + 1) for end in TYPES]
        return [files[name] for name in dict.fromkeys([*main, *further]) if name in files][:MOST_PICTURES]

    def _words(self, skus: Iterable[str]) -> list[Path]:
        files = {} if self.is_url else self._listed()
        return [files[f"{sku}{end}"] for sku in skus for end in WORDS if f"{sku}{end}" in files]

    def _listed(self) -> dict[str, Path]:
        """Return the folder's files by name, their endings in small letters."""
        if self._files is None:
            folder = None if self.source is None else Path(self.source)
            try:
                found = [] if folder is None else sorted(each for each in folder.iterdir() if each.is_file())
            except OSError as error:
                raise ConfigurationError(
                    "images-unreadable",
                    f"the folder of images cannot be read: {error.strerror}",
                    where=str(folder),
                    do="Make it, or correct products/images in the route file.",
                ) from error
            self._files = {f"{file.stem}{file.suffix.lower()}": file for file in found}
        return self._files

    def _fetched(self, sku: str) -> Picture | None:
        url = (self.source or "").replace("{sku}", quote(sku, safe=""))
        try:
            with httpx.stream("GET", url, timeout=TIMEOUT_S, follow_redirects=True) as response:
                if response.status_code in (403, 404, 410):
                    return None
                response.raise_for_status()
                kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
                content = b""
                for chunk in response.iter_bytes():
                    content += chunk
                    if len(content) > MOST_BYTES:
                        raise _too_big(f"the picture of {sku}", "products/images")
        except httpx.HTTPError as error:
            what = f"the picture of {sku} could not be fetched: {type(error).__name__}"
            do = "See whether the address under products/images works; the hub tries again."
            raise TransientError("images-unreachable", what, where="products/images", do=do) from error
        end = next((end for end, each in TYPES.items() if each == kind), None)
        return None if end is None else Picture(content=content, name=f"picture{end}", media_type=kind)


def _read(file: Path) -> Picture:
    if file.stat().st_size > MOST_BYTES:
        raise _too_big(file.name, str(file.parent))
    return Picture(content=file.read_bytes(), name=file.name, media_type=TYPES[file.suffix.lower()])


def _too_big(name: str, where: str) -> ConfigurationError:
    what = f"{name} is larger than {MOST_BYTES // 1024 // 1024} MB"
    return ConfigurationError("image-too-big", what, where=where, do="Save it smaller.")
