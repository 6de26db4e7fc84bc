"""Files TikTok hands out by address: labels as small valid PDFs, for a day (6.5)."""

from __future__ import annotations

import hashlib

from tiktok_simulator.wire import Reply, Request, text_reply

FOLDER = "/_files/"
LIFE_S = 86400
# The smallest picture there is: one white dot.
DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8ffff3f0005fe02fe0def46b8"
    "0000000049454e44ae426082"
)


class Documents:
    """Files by their address; an address that is too old leads nowhere."""

    def __init__(self) -> None:
        self.base_url = ""
        self._files: dict[str, tuple[float, str, bytes]] = {}

    def link(self, kind: str, package_id: str, now: float) -> str:
        """The address of a label, made now."""
        if kind == "SHIPPING_LABEL_PICTURE":
            return self.keep("png", "image/png", DOT, now, f"{kind} {package_id}")
        page = pdf([kind.replace("_", " "), f"Package {package_id}"])
        return self.keep("pdf", "application/pdf", page, now, f"{kind} {package_id}")

    def keep(self, ending: str, kind: str, content: bytes, now: float, name: str, life_s: float = LIFE_S) -> str:
        """Keep a file; answers its address."""
        key = f"{hashlib.sha256(f'{name} {now}'.encode()).hexdigest()[:40]}.{ending}"
        self._files[key] = (now + life_s, kind, content)
        return f"{self.base_url}{FOLDER}{key}"

    def owns(self, path: str) -> bool:
        """Whether a path is the address of a file."""
        return path.startswith(FOLDER)

    def answer(self, request: Request, now: float) -> Reply:
        """The file, unsigned, as a storage host would serve it."""
        ends, kind, content = self._files.get(request.path.removeprefix(FOLDER), (0.0, "", b""))
        if request.method != "GET" or not content:
            return text_reply("Not Found", 404)
        if now > ends:
            return text_reply("Request has expired", 403)
        return Reply(200, content, kind)


def pdf(lines: list[str]) -> bytes:
    """A PDF of one A6 page with a few lines of text."""
    shown = " ".join(f"({line}) Tj 0 -20 Td" for line in lines)
    drawing = f"BT /F1 12 Tf 30 380 Td {shown} ET".encode("latin-1")
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 298 420]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(drawing), drawing),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 6\n0000000000 65535 f \n"
    return out + head + table + b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(out)
