"""All that the organisation decides for its analytics."""

from __future__ import annotations

from trellis.crm.analytics import abc, product_figures, pyramid, significance, survey_scores
from trellis.crm.analytics.assumptions import Assumptions

DECIDED: tuple[Assumptions, ...] = (
    significance.ASSUMPTIONS,
    pyramid.ASSUMPTIONS,
    abc.ASSUMPTIONS,
    survey_scores.ASSUMPTIONS,
    product_figures.ASSUMPTIONS,
)
"""In the order in which the settings show them."""
