"""Every error and warning that foretell raises on purpose.

A message names the rule, the value that broke it and the remedy. Each class also inherits the builtin that a
caller would catch without knowing foretell.
"""

from __future__ import annotations


class ForetellError(Exception):
    """Base of all errors raised on purpose."""


class InvalidArchitectureError(ForetellError, ValueError):
    """A computation graph or a cell specification is not a network."""


class CaptureError(ForetellError, RuntimeError):
    """A module could not be turned into a computation graph."""


class InvalidSearchSpaceError(ForetellError, ValueError):
    """A distribution, a condition or a configuration breaks its own rule."""


class InvalidDataError(ForetellError, ValueError):
    """Observations do not fit together: lengths, finite values, kinds."""


class NotFittedError(ForetellError, ValueError, AttributeError):
    """A prediction was asked for before `fit`."""


class MissingDependencyError(ForetellError, ImportError):
    """An optional package is needed; the message says how to install it."""


class CheckpointError(ForetellError, ValueError):
    """A stored predictor is damaged, of another version, or not one of ours."""


class TimeLimitError(ForetellError, TimeoutError):
    """A function of the user's did not come to an end in the time that it had."""


class WriteError(ForetellError, OSError):
    """A file could not be written, for want of space or of leave; the one that was there is unharmed."""


class PluginError(ForetellError):
    """A plugin broke a rule of the registry."""


class ForetellWarning(UserWarning):
    """Base of all warnings: something was degraded, and the message says what."""


class CaptureWarning(ForetellWarning):
    """A network was captured only in part, or not at all, and is judged without what is missing."""


class OutOfDomainWarning(ForetellWarning):
    """A network is unlike all that pretrained weights have seen, and is judged without them."""
