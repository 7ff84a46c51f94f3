"""The page on many files: its commands run, and its workflows call the program rightly."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_diffusion.cli import main, parser
from napari_diffusion.io import read_image

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "batch.md").read_text("utf-8")
WORKFLOWS = ROOT / "examples" / "workflows"
SNAKEFILE, NEXTFLOW = WORKFLOWS / "Snakefile", WORKFLOWS / "batch.nf"

# What stands for the names in braces.
FILLED = {
    "input:q": "images/a.tif",
    "output:q": "results/a.ome.zarr",
    "image": "images/a.tif",
    "image.simpleName": "results/a",
    "params.recipe": "denoise",
    "threads": "2",
    "task.cpus": "2",
    "resources.mem_mb": "2000",
    "task.memory.toMega()": "2048",
}


@pytest.fixture
def images(tmp_path, monkeypatch):
    """Work in a folder that has two images."""
    monkeypatch.chdir(tmp_path)
    for name in ("images", "more"):
        Path(name).mkdir()
    values = np.random.default_rng(0).normal(100, 5, (2, 40, 44)).astype(np.float32)
    for name, each in zip(("a", "b"), values, strict=True):
        tifffile.imwrite(f"images/{name}.tif", each)
    np.save("more/one.npy", values[0])
    return tmp_path


def typed(path):
    """Return the words that a workflow types for one image."""
    text = path.read_text("utf-8")
    if path == SNAKEFILE:
        line = "".join(re.findall(r'^ +"(.*)"$', text.partition("shell:")[2], re.MULTILINE))
    else:
        line = text.split('"""')[1].replace("\\\\\n", " ")
    filled = re.sub(r"\$?\{([^}]+)\}", lambda name: FILLED[name[1]], line)
    program, *words = shlex.split(filled)
    assert program == "napari-diffusion"
    return words


@pytest.mark.parametrize("path", [SNAKEFILE, NEXTFLOW], ids=lambda path: path.name)
def test_the_page_shows_the_workflow_as_it_is(path):
    assert f"```text\n{path.read_text('utf-8')}```" in PAGE


@pytest.mark.parametrize("path", [SNAKEFILE, NEXTFLOW], ids=lambda path: path.name)
def test_a_workflow_types_what_the_program_understands(path, images):
    words = typed(path)
    assert parser().parse_args(words).recipe == "denoise"
    Path("results").mkdir()
    assert main(words) == 0
    assert read_image("results/a.ome.zarr").image.shape == (40, 44)


def test_commands_on_the_page_run(images):
    (block,) = [code for code in re.findall(r"```text\n(.*?)```", PAGE, re.S) if "batch im" in code]
    for line in block.splitlines():
        program, *words = shlex.split(line)
        assert program == "napari-diffusion"
        assert main([*words, "--quiet"]) == 0
    made = {
        folder: sorted(path.name for path in Path(folder).iterdir())
        for folder in ("results", "tables")
    }
    assert made["results"] == ["a.ome.zarr", "b.ome.zarr", "batch.csv"]
    assert made["tables"] == ["a.ome.tif", "b.ome.tif", "batch.csv", "one.ome.tif"]


def needs(tool):
    return pytest.mark.skipif(shutil.which(tool) is None, reason=f"{tool} is not installed")


@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    [
        pytest.param(
            ["snakemake", "--cores", "2", "--snakefile", SNAKEFILE], marks=needs("snakemake")
        ),
        pytest.param(["nextflow", "run", NEXTFLOW], marks=needs("nextflow")),
    ],
    ids=["snakemake", "nextflow"],
)
def test_a_workflow_runs(line, images):
    subprocess.run(list(map(str, line)), check=True, cwd=images, timeout=600)
    for name in ("a", "b"):
        assert read_image(f"results/{name}.ome.zarr").image.shape == (40, 44)
