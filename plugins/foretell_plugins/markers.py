"""The two markers of pluggy; this module imports nothing else, so that a plugin's import stays cheap."""

import pluggy

PROJECT = "foretell"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
