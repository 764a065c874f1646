"""Maximum likelihood of positive parameters, bounded and from several starts.

An unbounded search runs away on flat likelihoods: gamma functions of 1e12 cancel, and the likelihood only looks better.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LogLikelihood = Callable[[Floats], tuple[float, Floats]]
"""Of the parameters: the log-likelihood and its gradient."""

BOUND = 9.0
"""Logarithms of parameters stay within this on both sides."""


def maximise(
    target: LogLikelihood, starts: Sequence[Sequence[float]], rough: LogLikelihood | None = None
) -> tuple[Floats, float]:
    """The parameters at the highest log-likelihood, and that.

    With ``rough``, the target on a part of the data, the starts are compared there and only the best goes on.
    """
    if rough is not None:
        starts = [_climb(rough, starts, 1e-6)[0].tolist()]
    return _climb(target, starts, 1e-12)


def at_bound(parameters: Sequence[float]) -> bool:
    """Whether one of the parameters went as far as it may, so that the others say little."""
    return bool(np.any(np.abs(np.log(parameters)) > BOUND - 0.01))


def _climb(
    target: LogLikelihood, starts: Sequence[Sequence[float]], precision: float
) -> tuple[Floats, float]:
    from scipy.optimize import minimize  # half a second to import, which most commands need not wait for

    scale = max(1.0, abs(target(np.asarray(starts[0], dtype=np.float64))[0]))

    def down(logs: Floats) -> tuple[float, Floats]:
        parameters = np.exp(logs)
        height, slope = target(parameters)
        return -height / scale, -slope * parameters / scale

    found = []
    for start in starts:
        first = np.clip(np.log(start), -BOUND, BOUND)
        options = {"ftol": precision, "gtol": precision, "maxiter": 500}
        bounds = [(-BOUND, BOUND)] * len(first)
        done = minimize(down, first, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
        if np.isfinite(done.fun):
            found.append((float(done.fun), np.exp(done.x)))
    lowest, parameters = min(found, key=lambda pair: pair[0])
    return parameters, -lowest * scale
