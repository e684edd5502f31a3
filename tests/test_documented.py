"""README and docs do what they say: every command and program in them is run."""

from __future__ import annotations

import gzip
import re
import shlex
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from neurox_lite.cli.main import main
from neurox_lite.embedded import embedded_path
from neurox_lite.evaluation.localisation import localisation
from neurox_lite.masking.token_mask import TokenMask
from neurox_lite.pipeline import comparison
from neurox_lite.pipeline.job import Job

pytestmark = pytest.mark.heavy

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
GUIDE = (ROOT / "docs/guide.md").read_text()
JOBS = (ROOT / "docs/guide/jobs.md").read_text()


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the model and the corpora that the documents name."""
    monkeypatch.chdir(tmp_path)
    (program,) = [code for language, code in blocks(GUIDE) if language == "python"]
    exec(compile(program, "guide.md", "exec"), {})
    (tmp_path / "number-pairs.tsv").write_text(few_pairs())
    for path in tmp_path.glob("*.conllu"):
        path.write_text("\n\n".join(path.read_text().split("\n\n")[:80]) + "\n\n")
    for path in tmp_path.glob("*.txt"):
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:80]))
    # That it resamples twenty times by default makes nothing of the documents truer.
    monkeypatch.setattr(comparison, "localisation", partial(localisation, n_resamples=2))
    yield tmp_path


def few_pairs() -> str:
    """Some of the templates that the documents name; few others, for the side effects."""
    header, *pairs = embedded_path("corpora/number-pairs.tsv").read_text().splitlines(keepends=True)
    simple, adverb = (
        [line for line in pairs if f"\t{name}\t" in line] for name in ("simple", "adv")
    )
    others = [line for line in pairs if line not in simple + adverb][::30]
    return "".join([header, *simple[::4], *adverb[::2], *others])


def run(command: list[str]) -> int:
    """The exit code of a command, with less repeated: more makes nothing of the documents truer."""
    if command[0] == "mask" and not {"--steps", "--method"} & set(command):
        command = [*command, "--steps", "30"]
    if "--resamples" in command:
        command[command.index("--resamples") + 1] = "1"
    return main(command)


def commands(text: str) -> list[list[str]]:
    """The indented lines that start with neurox-lite, continued lines joined."""
    joined = text.replace("\\\n", " ")
    lines = re.findall(r"^ {4}neurox-lite (.*)$", joined, flags=re.MULTILINE)
    return [shlex.split(line) for line in lines]


# Pages whose commands and programs are run in order, with the files of docs/howto/index.md.
PAGES = [*sorted((ROOT / "docs/howto").glob("*.md")), ROOT / "docs/tour.md", ROOT / "docs/llms.md"]
EXAMPLE_FILES = (ROOT / "docs/howto/index.md").read_text()
# What else may stand in a block of shell commands.
NOT_RUN = ("pip ", "make ", "cd ", "git ", "open ")


def blocks(text: str) -> list[tuple[str, str]]:
    """Language and content of every fenced block."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def example_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the how-to pages begin with, made as they say, of fewer sentences."""
    folder = tmp_path_factory.mktemp("examples")
    (program,) = [code for language, code in blocks(EXAMPLE_FILES) if language == "python"]
    with chdir(folder):
        exec(compile(program, "index.md", "exec"), {})
    corpus = folder / "english.conllu.gz"
    with gzip.open(corpus, "rt") as file:
        sentences = file.read().split("\n\n")[:150]
    with gzip.open(corpus, "wt") as file:
        file.write("\n\n".join(sentences) + "\n\n")
    (folder / "number-pairs.tsv").write_text(few_pairs())
    return folder


def follow(page: Path) -> int:
    """Run the commands and programs of a page in order; how many blocks there are.

    Blocks of ``py`` instead of ``python`` need what only a reader has, such as a service.
    """
    names: dict[str, object] = {}
    found = blocks(page.read_text())
    for language, code in found:
        if language == "python":
            exec(compile(code, page.name, "exec"), names)
        elif language == "py":
            compile(code, page.name, "exec")
        elif language == "bash":
            for line in code.replace("\\\n", " ").splitlines():
                if line.startswith("neurox-lite "):
                    assert run(shlex.split(line)[1:]) == 0, line
                else:
                    assert line.startswith(NOT_RUN), line
    return sum(language in ("python", "bash") for language, _ in found)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page(
    page: Path, example_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "localisation", partial(localisation, n_resamples=2))
    monkeypatch.chdir(tmp_path)
    if page.name != "index.md":
        for path in example_files.iterdir():
            (tmp_path / path.name).symlink_to(path)
    follow(page)


def test_program_in_readme(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len([line for line in program.splitlines() if line.strip()]) <= 15
    exec(compile(program, "README.md", "exec"), {})
    assert (workplace / "ranking.csv").is_file()
    assert (workplace / "ablation.png").is_file()
    assert "Certificate(" in capsys.readouterr().out


def test_commands_in_readme(workplace: Path) -> None:
    found = commands(README)
    assert found
    for command in found:
        assert run(command) == 0, command
    assert (workplace / "results/summary.md").is_file()


def test_guide(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TokenMask.__init__.__kwdefaults__, "n_steps", 5)
    # In the order in which the guide lists them: each goes on with the files of those before.
    pages = re.findall(r"^guide/[\w-]+$", GUIDE, flags=re.MULTILINE)
    assert sorted(pages) == sorted(f"guide/{page.stem}" for page in (ROOT / "docs/guide").iterdir())
    for page in pages:
        assert follow(ROOT / f"docs/{page}.md")


def test_job_in_guide_lists_every_option_at_its_default(workplace: Path) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", JOBS, flags=re.DOTALL)
    (workplace / "job.yaml").write_text(text)
    job = Job.read(workplace / "job.yaml")
    assert job == Job(job.model, job.corpus, job.tag, job.out)
    every_key = re.findall(r"^ *(\w+):", replace(job, corpus="my.conllu").to_yaml(), re.MULTILINE)
    assert set(every_key) <= set(re.findall(r"^ *(\w+):", text, re.MULTILINE))
