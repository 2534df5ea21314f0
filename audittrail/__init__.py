"""AuditTrail: the flight recorder and governor for AI agents."""

__version__ = "0.1.0"
