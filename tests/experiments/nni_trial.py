"""One trial of the experiments in the tests: trains a classifier of digits and keeps its own record of what it did."""

from __future__ import annotations

import json
import os
import time
import warnings
from pathlib import Path
from typing import Any

import nni
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import SGDClassifier
from sklearn.neural_network import MLPClassifier

EPOCHS = 8


def main() -> None:
    """Train epoch by epoch, report each validation accuracy; a network narrower than 6 fails."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    parameters = nni.get_next_parameter()
    chosen = parameters["classifier"]
    X, y = load_digits(return_X_y=True)
    X = X / parameters["divisor"]
    if chosen["_name"] == "linear":
        model: Any = SGDClassifier(alpha=chosen["alpha"], penalty=chosen["penalty"], random_state=0)
    else:
        if chosen["width"] < 6:
            keep(parameters, None)
            raise ValueError("the network is too narrow")
        model = MLPClassifier((round(chosen["width"]),), learning_rate_init=chosen["rate"], random_state=0)
    accuracy = 0.0
    for _ in range(EPOCHS):
        model.partial_fit(X[:400], y[:400], classes=range(10))
        accuracy = float(model.score(X[1200:], y[1200:]))
        nni.report_intermediate_result({"default": accuracy, "epochs": EPOCHS})
        time.sleep(0.25)  # long enough that NNI can stop it on a fast machine too
    keep(parameters, accuracy)
    nni.report_final_result({"default": accuracy, "epochs": EPOCHS})


def keep(parameters: Any, value: float | None) -> None:
    """Write down what this trial did."""
    record = {"job": nni.get_trial_id(), "parameters": parameters, "value": value}
    with Path(os.environ["TRIAL_RECORDS"]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
