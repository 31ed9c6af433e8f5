"""The one place where settings become adapters, agents and a host."""

from engine.bootstrap.host import Host, build_host

__all__ = ["Host", "build_host"]
