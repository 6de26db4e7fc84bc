"""A server on loopback that behaves like TikTok Shop, written from FACTS.md alone."""

from tiktok_simulator.simulator import Simulator

__all__ = ["Simulator"]
