"""What caused what in a trace: its graph, outcomes, and what becomes of an outcome when steps are taken away."""
