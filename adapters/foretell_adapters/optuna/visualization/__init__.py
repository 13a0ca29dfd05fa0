"""Pictures of a study in the style of `optuna.visualization`: plotly here, matplotlib in `.matplotlib`.

```python
from foretell_adapters.optuna.visualization import plot_calibration, plot_slice

plot_calibration(study).show()
plot_slice(study, "lr").show()
```

Each asks the surrogate anew; `StudyPictures` keeps what several pictures share. What needs no study (motifs, clusters,
a network) is in `foretell.visualization`.
"""

from foretell_adapters.optuna.study_pictures import StudyPictures, cost_comparison
from foretell_adapters.optuna.visualization.plots import (
    plot_calibration,
    plot_cost,
    plot_curve_forecast,
    plot_history,
    plot_importances,
    plot_pareto_front,
    plot_predicted_against_true,
    plot_slice,
)

__all__ = [
    "StudyPictures",
    "cost_comparison",
    "plot_calibration",
    "plot_cost",
    "plot_curve_forecast",
    "plot_history",
    "plot_importances",
    "plot_pareto_front",
    "plot_predicted_against_true",
    "plot_slice",
]
