"""What is found out about an output, in words."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Verdict(enum.StrEnum):
    """What was found, in words."""

    IDENTICAL = "identical"
    WITHIN = "identical within the tolerance"
    INTACT = "as it was written"
    UNKNOWN = "not verified"
    DIFFERENT = "different"
    BROKEN = "not as it was written"


@dataclass(frozen=True)
class Verification:
    """What was found out about an output.

    Attributes
    ----------
    name : str
        Of the output.
    verdict : Verdict
        The whole in words.
    findings : tuple of str
        What was checked and found, a sentence each.
    """

    name: str
    verdict: Verdict
    findings: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether something was checked and everything that was holds."""
        return self.verdict in (Verdict.IDENTICAL, Verdict.WITHIN, Verdict.INTACT)

    def text(self) -> str:
        """Return the findings and the verdict, a line each."""
        return "\n".join((*self.findings, f"{self.name}: {self.verdict}."))
