"""A report drawn as a PDF: `draw`. ReportLab has its only door here."""

from audittrail.report.pdf.drawing import draw

__all__ = ["draw"]
