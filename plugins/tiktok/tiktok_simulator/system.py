"""A call of the system from end to end: fault, gateway, endpoint, envelope, journal."""

from __future__ import annotations

import time

from tiktok_simulator.auth_pages import CONSENT, AuthPages
from tiktok_simulator.endpoints import ENDPOINTS
from tiktok_simulator.faults import BEFORE, Fault
from tiktok_simulator.gateway import Gateway, Target
from tiktok_simulator.limits import too_many
from tiktok_simulator.wire import ApiError, Json, Reply, Request, dumps, json_reply, text_reply
from tiktok_simulator.world import World

OVERLOADED = "<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>"


class System:
    """Answers everything that is not under /_sim/."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._gateway = Gateway(world, ENDPOINTS)
        self.pages = AuthPages(world.options, world.tokens, world.shops)

    def answer(self, request: Request) -> Reply:
        """Answer one call; waiting happens outside the lock, so that one slow call holds up no other."""
        with self._world.lock:
            at = self._world.settle()
            fault = self._world.faults.strike(request)
            target = self._gateway.find(request)
            self._world.wrote = False
            reply = self._reply(request, target, fault)
            self._note(request, target, fault, reply, at)
            latency_s = self._world.options.seconds("latency_ms") / 1000
        if fault is not None and fault.kind == "slow":
            latency_s += fault.seconds
        if latency_s:
            time.sleep(latency_s)
        return reply

    def _reply(self, request: Request, target: Target | None, fault: Fault | None) -> Reply:
        if fault is not None and fault.kind in BEFORE:
            return self._instead(fault)
        self._world.shift = self._world.faults.shift() if fault and fault.kind == "page_shift" else 0
        if self._world.documents.owns(request.path):
            reply = self._world.documents.answer(request, self._world.clock.now())
        elif self.pages.owns(request.path):
            reply = self.pages.answer(request, self._world.request_id())
            self._world.wrote = request.path != CONSENT and reply.body.startswith(b'{"code":0')
        else:
            reply = self._api(request, target)
        if fault is None:
            return reply
        if fault.code is not None:
            # The call took effect, yet the answer says it failed (T-38).
            return self._refusal(ApiError(fault.code, "Internal error or time-out, the outcome is unknown"))
        reply.cut = fault.kind == "cut_body"
        reply.dropped = fault.kind == "lost_reply"
        return reply

    def _instead(self, fault: Fault) -> Reply:
        if fault.kind == "429":
            return self._refusal(too_many(max(1, int(fault.seconds))))
        if fault.kind == "503":
            return text_reply(OVERLOADED, 503, "text/html")  # T-42
        if fault.kind == "500":
            return text_reply("Internal Server Error", 500)
        return Reply(0, b"", dropped=True)

    def _api(self, request: Request, target: Target | None) -> Reply:
        try:
            call = self._gateway.admit(request, target)
            endpoint = target.endpoint if target else None
            data = endpoint.answer(self._world, call) if endpoint else b"{}"
        except ApiError as error:
            return self._refusal(error)
        body = data if isinstance(data, bytes) else dumps(data)
        junk = b',"zz_trace":{"new":true}' if self._world.options["junk_fields"] == "yes" else b""
        head = f'{{"code":0,"message":"Success","request_id":"{self._world.request_id()}"'.encode()
        return Reply(200, head + junk + b',"data":' + body + b"}")

    def _refusal(self, error: ApiError) -> Reply:
        """The envelope of an error; what `data` holds is a switch (T-30)."""
        shown: Json = {"code": error.code, "message": error.message, "request_id": self._world.request_id()}
        kind = self._world.options["error_data"]
        if kind != "missing":
            shown["data"] = None if kind == "null" else {}
        reply = json_reply(shown, error.status)
        reply.headers = error.headers
        return reply

    def _note(self, request: Request, target: Target | None, fault: Fault | None, reply: Reply, at: float) -> None:
        template = target.endpoint.template if target else request.path
        self._world.journal.note(
            {
                "at": at,
                "method": request.method,
                "path": request.path,
                "query": request.query,
                "body": request.parsed(),
                "status": reply.status,
                "fault": fault.kind if fault else None,
                "wrote": self._world.wrote,
            },
            template,
        )
