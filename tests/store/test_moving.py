"""A study that was carried in a file is the same study."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from pokeopt.errors import UserError
from pokeopt.report.write import write_report
from pokeopt.store import Store, open_store
from pokeopt.store.moving import export_study, import_study
from pokeopt.store.notes import note_of, write_note
from tests.cli.conftest import home as home


def files(store: Store, name: str) -> dict[tuple[int, str], bytes | None]:
    return {
        (row.number, filename): store.read_artifact(name, row.number, filename)
        for row in store.load(name, exact=True).trials
        for filename in store.artifacts(name, row.number)
    }


def carried(store: Store, tmp_path: Path) -> Path:
    path = tmp_path / "file" / "mlp.zip"
    assert export_study(store, "mlp", path) == ["mlp", "mlp.ablation"]
    return path


@pytest.mark.parametrize("scheme", ["sqlite", "journal"])
def test_there_it_is_the_same(home: Path, tmp_path: Path, scheme: str) -> None:
    here = open_store(None, home)
    trial = here.study("mlp").get_trials()[1]
    write_note(here.study("mlp"), trial._trial_id, "the one to look at")
    here.study("mlp").enqueue_trial({"model.dropout": 0.25}, user_attrs={"proposal": 4})
    there = open_store(f"{scheme}:///{tmp_path}/there.store", tmp_path / "there")
    assert import_study(there, carried(here, tmp_path)) == ["mlp", "mlp.ablation"]
    for name in here.names():
        assert there.load(name, exact=True) == here.load(name, exact=True)
        assert files(there, name) == files(here, name)
    copied = there.study("mlp")
    assert note_of(copied, copied.get_trials()[1]._trial_id) == "the one to look at"
    assert copied.metric_names == here.study("mlp").metric_names


def test_its_report_is_the_same_to_the_byte(home: Path, tmp_path: Path) -> None:
    here, there = open_store(None, home), open_store(None, tmp_path / "there")
    import_study(there, carried(here, tmp_path))
    pages = [
        write_report(store, ["mlp"], tmp_path / f"{n}.md", "md").read_bytes()
        for n, store in enumerate((here, there))
    ]
    assert pages[0] == pages[1]


def test_under_another_name_it_is_another_study(home: Path, tmp_path: Path) -> None:
    """Deleting one of two copies in one store leaves the other whole."""
    store = open_store(None, home)
    path = carried(store, tmp_path)
    before = files(store, "mlp")
    assert import_study(store, path, "copy") == ["copy", "copy.ablation"]
    assert store.load("copy.ablation").attrs["parent"] == "copy"
    assert store.load("copy").spec["name"] == "copy"
    assert files(store, "copy") == before
    store.delete("copy")
    assert files(store, "mlp") == before


def test_a_taken_name_changes_nothing(home: Path, tmp_path: Path) -> None:
    store = open_store(None, home)
    path = carried(store, tmp_path)
    store.delete("mlp")  # its confirm study's name is still taken
    n_files = len(list(store.artifacts_dir.iterdir()))
    with pytest.raises(UserError, match=r"'mlp\.ablation' already"):
        import_study(store, path)
    assert store.names() == ["mlp.ablation"]
    assert len(list(store.artifacts_dir.iterdir())) == n_files


def test_a_half_import_is_taken_back(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = open_store(None, home), open_store(None, tmp_path / "there")
    path = carried(here, tmp_path)
    made = there.storage.create_new_trial

    def fails_in_the_second(study_id: int, template_trial: object = None) -> int:
        if study_id > 1:
            raise OSError(28, "No space left on device", str(tmp_path))
        return made(study_id, template_trial)  # type: ignore[arg-type]

    monkeypatch.setattr(there.storage, "create_new_trial", fails_in_the_second)
    with pytest.raises(OSError, match="No space"):
        import_study(there, path)
    assert there.names() == []
    assert list(there.artifacts_dir.iterdir()) == []


def test_what_is_no_study_is_refused_in_one_line(home: Path, tmp_path: Path) -> None:
    store = open_store(None, home)
    path = carried(store, tmp_path)
    whole = path.read_bytes()
    text = tmp_path / "text.zip"
    text.write_text("no zip")
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("a.txt", "x")
    cut = tmp_path / "cut.zip"
    cut.write_bytes(whole[: len(whole) // 2])
    bent = tmp_path / "bent.zip"
    middle = len(whole) // 2
    bent.write_bytes(
        whole[:middle] + bytes(byte ^ 255 for byte in whole[middle : middle + 50]) + whole[middle + 50 :]
    )
    for bad in (text, other, cut, bent, tmp_path, tmp_path / "nowhere.zip"):
        with pytest.raises(UserError) as error:
            import_study(store, bad, "new")
        assert "\n" not in str(error.value)
    assert store.names() == ["mlp", "mlp.ablation"]
    assert list(path.parent.iterdir()) == [path], "no draft is left"
