"""What caused what in a trace: its graph, outcomes, and what becomes of an outcome when steps are taken away."""

from audittrail.attribution.ablation import Ablation, CauseSet, Part, ablate
from audittrail.attribution.graph import Edge, EdgeType, Graph, graph_of
from audittrail.attribution.outcome import MEASURES, Outcome, outcomes_of, parse
from audittrail.attribution.trial import Stopped

__all__ = [
    "MEASURES",
    "Ablation",
    "CauseSet",
    "Edge",
    "EdgeType",
    "Graph",
    "Outcome",
    "Part",
    "Stopped",
    "ablate",
    "graph_of",
    "outcomes_of",
    "parse",
]
