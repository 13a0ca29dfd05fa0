"""Tasks and tables on which predictors and searches are measured."""
