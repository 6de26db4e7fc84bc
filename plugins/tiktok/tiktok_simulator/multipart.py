"""Reading multipart bodies of uploads."""

from __future__ import annotations

from email.parser import BytesParser
from email.policy import HTTP

from tiktok_simulator.wire import Request


def parts_of(request: Request) -> dict[str, bytes]:
    """The parts of a multipart body by name; empty where it is not one."""
    head = f"content-type: {request.headers.get('content-type', '')}\r\n\r\n".encode("latin-1")
    message = BytesParser(policy=HTTP).parsebytes(head + request.body)
    if not message.is_multipart():
        return {}
    found: dict[str, bytes] = {}
    for part in message.iter_parts():
        content = part.get_payload(decode=True)
        found[str(part.get_param("name", "", header="content-disposition"))] = (
            content if isinstance(content, bytes) else b""
        )
    return found
