"""One trial: fit the classifier that the tuner chose, report its accuracy on held-out digits."""

from __future__ import annotations

import nni
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler


def main() -> None:
    """Receive parameters, train, report."""
    params = nni.get_next_parameter()
    chosen = params["classifier"]
    if chosen["_name"] == "network":
        model = MLPClassifier(
            hidden_layer_sizes=(round(chosen["width"]),),
            activation=chosen["activation"],
            learning_rate_init=chosen["learning_rate"],
            max_iter=20,
            random_state=0,
        )
    else:
        model = RandomForestClassifier(chosen["trees"], max_features=chosen["max_features"], random_state=0)
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    scaler = StandardScaler() if params["scale"] else FunctionTransformer()
    nni.report_final_result(make_pipeline(scaler, model).fit(X_train, y_train).score(X_test, y_test))


if __name__ == "__main__":
    main()
