"""One HTML file that says what was done to an image, and what may have been lost."""

from __future__ import annotations

from napari_diffusion.report.inspection_report import InspectionReport
from napari_diffusion.report.page import write_report
from napari_diffusion.report.report import Report, ReportStep, report_of_steps
from napari_diffusion.report.saved_result import report_of_result

__all__ = [
    "InspectionReport",
    "Report",
    "ReportStep",
    "report_of_result",
    "report_of_steps",
    "write_report",
]
