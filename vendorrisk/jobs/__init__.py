"""Jobs: what happens without anybody waiting for it. `start` runs them in threads of the service's own process."""

from vendorrisk.jobs.runner import start

__all__ = ["start"]
