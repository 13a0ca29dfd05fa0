"""Knowledge from earlier searches over other problems, and how far to believe it."""

from foretell.transfer.shared_parameters import SharedParameters
from foretell.transfer.source import Source
from foretell.transfer.source_knowledge import SourceKnowledge
from foretell.transfer.source_surrogate import SourceSurrogate
from foretell.transfer.sources import Sources
from foretell.transfer.task_clusters import TaskClusters

__all__ = ["SharedParameters", "Source", "SourceKnowledge", "SourceSurrogate", "Sources", "TaskClusters"]
