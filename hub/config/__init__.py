"""The operator's route file in, Routes and Connections out; a file with faults is refused with all of them."""

from hub.config.faults import CODES, Fault, RouteFileError
from hub.config.load import Config, ConnectionConfig, load
from hub.config.schema import compose_schema

__all__ = ["CODES", "Config", "ConnectionConfig", "Fault", "RouteFileError", "compose_schema", "load"]
