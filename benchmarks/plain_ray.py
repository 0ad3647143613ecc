"""The peer: plain Ray Tune in its documentation's way.

A function trainable, ImageFolder and DataLoader, a report an epoch, a new actor a trial (Tune's default). The training
recipe is the same as on our side: MLP with batch norm and dropout, Adam, cross-entropy, standardised RGB images.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.configurations import Configuration


def train(config: dict[str, Any]) -> None:
    """Train one configuration and report the validation score of every epoch."""
    import torch
    from ray import tune
    from sklearn.metrics import f1_score
    from torch import nn
    from torch.utils.data import DataLoader
    from torchvision import transforms
    from torchvision.datasets import ImageFolder

    torch.manual_seed(config["seed"])
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    transform = transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize(config["mean"], config["std"])]
    )
    train_set = ImageFolder(config["folder"] + "/train", transform)
    val_set = ImageFolder(config["folder"] + "/val", transform)
    train_loader = DataLoader(train_set, config["batch_size"], shuffle=True)
    val_loader = DataLoader(val_set, config["batch_size"])
    layers: list[nn.Module] = [nn.Flatten()]
    n_in = train_set[0][0].numel()
    for width in config["width"]:
        layers += [nn.Linear(n_in, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(config["dropout"])]
        n_in = width
    model = nn.Sequential(*layers, nn.Linear(n_in, len(train_set.classes))).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=config["learning_rate"])
    loss_of = nn.CrossEntropyLoss()
    for _ in range(config["epochs"]):
        model.train()
        for images, labels in train_loader:
            optimizer.zero_grad()
            loss = loss_of(model(images.to(device)), labels.to(device))
            loss.backward()
            optimizer.step()
        model.eval()
        truth, predicted = [], []
        with torch.no_grad():
            for images, labels in val_loader:
                predicted += model(images.to(device)).argmax(1).tolist()
                truth += labels.tolist()
        tune.report({"macro_f1": f1_score(truth, predicted, average="macro")})


def run(
    configs: list[Configuration], folder: Path, mean: list[float], std: list[float], seed: int, gpus: float
) -> dict[str, float]:
    """Run the list two trials at a time and return the last validation macro-F1 of each."""
    import tempfile

    import ray
    from ray import tune

    from pokeopt.study.ray_session import ray_session

    shared = {"folder": str(folder), "mean": mean, "std": std, "seed": seed}
    space = [
        {
            **shared,
            "name": config.name,
            "width": config.width,
            "batch_size": config.batch_size,
            "learning_rate": config.learning_rate,
            "dropout": config.dropout,
            "epochs": config.epochs,
        }
        for config in configs
    ]
    with ray_session(2, round(2 * gpus)), tempfile.TemporaryDirectory() as storage:
        assert ray.is_initialized()
        tuner = tune.Tuner(
            tune.with_resources(train, {"cpu": 1, "gpu": gpus}),
            param_space=tune.grid_search(space),
            tune_config=tune.TuneConfig(metric="macro_f1", mode="max"),
            run_config=tune.RunConfig(storage_path=storage, verbose=0),
        )
        results = tuner.fit()
        assert not results.errors, results.errors
        return {result.config["name"]: result.metrics["macro_f1"] for result in results}
