"""What caused what in a trace: its graph, outcomes, and what becomes of an outcome when steps are taken away."""

from audittrail.attribution.ablation import METHODS, Ablation, CauseSet, Method, Part, ablate
from audittrail.attribution.graph import Edge, EdgeType, Graph, graph_of
from audittrail.attribution.outcome import MEASURES, Outcome, outcomes_of, parse
from audittrail.attribution.players import PLAYERS, Players
from audittrail.attribution.trial import Stopped

__all__ = [
    "MEASURES",
    "METHODS",
    "PLAYERS",
    "Ablation",
    "CauseSet",
    "Edge",
    "EdgeType",
    "Graph",
    "Method",
    "Outcome",
    "Part",
    "Players",
    "Stopped",
    "ablate",
    "graph_of",
    "outcomes_of",
    "parse",
]
