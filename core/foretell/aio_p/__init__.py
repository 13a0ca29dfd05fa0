"""AIO-P: one predictor for many tasks (Mills et al., 2023, https://arxiv.org/abs/2211.17228).

    predictor = AdapterTraining().train_all(shipped_backbone(), tasks, folder)  # a K-Adapter for each source task
    predictor.rank(graphs)                                # a new task, without a label of it
    predictor.fit(graphs, y, level=LEVELS["heads+adapters"]).rank(others)  # with 20

`related_tasks` is ours for the same question; `latent_sampling` makes labels of a task out of bodies that were trained
for another one.
"""
