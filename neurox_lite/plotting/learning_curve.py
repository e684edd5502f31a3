"""The learning curve: accuracy against the number of training words."""

from __future__ import annotations

from matplotlib.figure import Figure

from neurox_lite.plotting.texts import put_title
from neurox_lite.results import LearningCurve


def plot_learning_curve(curve: LearningCurve, title: str | None = None) -> Figure:
    """Mean over seeds, and the band from the least to the greatest."""
    figure = Figure(figsize=(5.2, 3.6), layout="constrained")
    axis = figure.subplots()
    axis.plot(curve.n_words, curve.accuracy_mean, "o-", color="#0072b2")
    axis.fill_between(
        curve.n_words, curve.accuracy_low, curve.accuracy_high, color="#0072b2", alpha=0.25
    )
    axis.set_xscale("log")
    axis.set_xlabel("training words")
    axis.set_ylabel("test accuracy")
    axis.set_title(f"mean and range of {curve.n_seeds} samples of sentences", fontsize=10)
    axis.grid(alpha=0.3)
    put_title(figure, title)
    return figure
