"""Fake social networks with the real ones' paging rules and faults on demand."""

from .control import Control
from .posts import made_up_posts
from .remote import RemoteControl
from .server import Networks, running_networks, spawned_networks

__all__ = [
    "Control",
    "Networks",
    "RemoteControl",
    "made_up_posts",
    "running_networks",
    "spawned_networks",
]
