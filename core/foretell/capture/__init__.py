"""From what people have to computation graphs: modules here, cell specifications in the module named after each family."""

from foretell.capture.module import capture_module

__all__ = ["capture_module"]
