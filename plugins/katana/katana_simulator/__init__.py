"""A simulator of the Katana inventory API, with state, on loopback, for tests, demos and benchmarks.

It is written from FACTS.md in the folder above and shares no code with the connector. Start it with
`Simulator().start()` and speak to `simulator.url + "/v1"`; control it under `/_sim/` as docs/simulators.md says.
Its switches are listed in FACTS.md and in `options.SWITCHES`; what a seed may hold, in seed.py.
"""

from __future__ import annotations

from katana_simulator.options import API_KEY
from katana_simulator.simulator import Simulator

__all__ = ["API_KEY", "Simulator"]
