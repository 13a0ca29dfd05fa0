"""To computation graphs: from modules here, from cell specifications in the module of each family."""

from foretell.capture.module import capture_module

__all__ = ["capture_module"]
