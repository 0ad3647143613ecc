"""The notebook of the documentation runs from top to bottom, as a reader's would."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import pokeopt

NOTEBOOK = Path(__file__).parent.parent / "docs" / "notebook.ipynb"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of jupyter's own libraries
def test_every_cell_runs(tmp_path: Path) -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    results = [
        output["data"] for cell in cells for output in cell.outputs if output.output_type == "execute_result"
    ]
    assert len(results) == len(cells), "every cell shows something, and nothing else"
    assert sum("text/html" in data for data in results) >= 6, "studies, trials and tables are drawn"
    assert any("(True," in data["text/plain"] for data in results), "the replay agrees"
    assert (tmp_path / "digits.html").is_file()
    assert pokeopt.list_studies(home=tmp_path / ".pokeopt") == ["digits", "digits.ablation", "digits.e5"]


def test_it_holds_no_output_of_somebodys_machine() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert all(not cell.outputs for cell in notebook.cells if cell.cell_type == "code")
