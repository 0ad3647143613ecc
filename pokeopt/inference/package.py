"""One file for a model: ``.pt2`` (torch.export) or ``.onnx``, each with the card inside."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pokeopt.errors import StoreError, UserError
from pokeopt.inference.card import CARD_FILE, PAGE_FILE, Card
from pokeopt.inference.graph import BATCH_NUMBERS, Bytes, Graph, Outputs, run_graph

SUFFIXES = (".pt2", ".onnx")
Run = Callable[[Bytes], Outputs]


def check_suffix(path: Path) -> None:
    """Refuse a name that is of neither format.

    Raises:
        UserError: Naming the two.
    """
    if path.suffix.lower() not in SUFFIXES:
        what = f"'{path.suffix}' is no format of a model" if path.suffix else "it has no suffix"
        raise UserError(str(path), what, "end it with .pt2 (torch) or .onnx")
    if path.suffix.lower() == ".onnx":
        _import_onnx(("onnx", "onnxscript", "onnxruntime"), str(path))


def write_package(graph: Graph, card: Card, path: Path) -> None:
    """Write a model to a file of either format; an old file of that name is replaced at once or not at all.

    Raises:
        UserError: If the suffix is of neither.
        StoreError: If the network cannot be exported.
    """
    check_suffix(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    example = torch.zeros(2, *card.input_shape, dtype=torch.uint8)
    try:
        with _quiet():
            if path.suffix.lower() == ".pt2":
                _write_pt2(graph, card, example, draft)
            else:
                _write_onnx(graph, card, example, draft)
        draft.replace(path)
    except (torch._dynamo.exc.TorchDynamoException, torch.onnx.OnnxExporterError) as error:
        what = f"the network cannot be exported: {str(error).splitlines()[0]}"
        raise StoreError(str(path), what, "try the other format") from error
    finally:
        draft.unlink(missing_ok=True)


def read_package(path: Path) -> tuple[Card, Run]:
    """Return the card of a model file, and what runs its graph on bytes (N, C, H, W).

    Raises:
        UserError: If it is no such file.
    """
    if not path.is_file():
        raise UserError(str(path), "there is no such file", "give a file that pokeopt export wrote")
    check_suffix(path)
    return _read_pt2(path) if path.suffix.lower() == ".pt2" else _read_onnx(path)


def _write_pt2(graph: Graph, card: Card, example: torch.Tensor, path: Path) -> None:
    with torch.no_grad():
        batch = {"images": {0: torch.export.Dim("N")}}
        program = torch.export.export(graph, (example,), dynamic_shapes=batch)
    file = io.BytesIO()  # torch's own writer has no OSError for a path that cannot be written
    torch.export.save(program, file, extra_files={CARD_FILE: card.as_json(), PAGE_FILE: card.page()})
    path.write_bytes(file.getbuffer())


def _read_pt2(path: Path) -> tuple[Card, Run]:
    inside = {CARD_FILE: ""}
    try:
        with _quiet():
            program = torch.export.load(path, extra_files=inside)
    except Exception as error:  # whatever a file raises that is none of torch.export's
        what = f"this is no torch.export file: {(str(error).splitlines() or [''])[0]}"
        raise UserError(str(path), what, "give a file that pokeopt export wrote") from error
    card = Card.from_json(inside[CARD_FILE], str(path))
    module: Any = program.module()
    return card, lambda images: run_graph(module, card.outputs, images)


def _write_onnx(graph: Graph, card: Card, example: torch.Tensor, path: Path) -> None:
    with torch.no_grad(), contextlib.redirect_stdout(io.StringIO()):
        program = torch.onnx.export(
            graph,
            (example,),
            input_names=["images"],
            output_names=list(card.outputs),
            dynamic_shapes={"images": {0: torch.export.Dim("N")}},
            dynamo=True,
            verbose=False,
        )
    assert program is not None, "with dynamo, and without a file, it returns the program"
    program.model.metadata_props.update({CARD_FILE: card.as_json(), PAGE_FILE: card.page()})
    program.save(path)


def _read_onnx(path: Path) -> tuple[Card, Run]:
    runtime = _import_onnx(("onnxruntime",), str(path))
    try:
        options = runtime.SessionOptions()
        options.log_severity_level = 3  # errors alone
        options.intra_op_num_threads = torch.get_num_threads()
        session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its own exceptions have no common base
        what = f"this is no ONNX file: {(str(error).splitlines() or [''])[0]}"
        raise UserError(str(path), what, "give a file that pokeopt export wrote") from error
    card = Card.from_json(session.get_modelmeta().custom_metadata_map.get(CARD_FILE, ""), str(path))

    def run(images: Bytes) -> Outputs:
        size = max(1, BATCH_NUMBERS // int(np.prod(card.input_shape)))
        pieces = [
            session.run(list(card.outputs), {"images": np.ascontiguousarray(images[start : start + size])})
            for start in range(0, max(len(images), 1), size)
        ]
        return {name: np.concatenate([piece[i] for piece in pieces]) for i, name in enumerate(card.outputs)}

    return card, run


def _import_onnx(names: tuple[str, ...], where: str) -> Any:
    """Return the last of these modules; each must be installed."""
    import importlib

    try:
        return [importlib.import_module(name) for name in names][-1]
    except ImportError as error:
        what = f"ONNX needs {error.name}, which is not installed"
        raise UserError(where, what, "pip install 'pokeopt[onnx]', or use .pt2") from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporters' remarks on their own insides to themselves."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "torch.export")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
