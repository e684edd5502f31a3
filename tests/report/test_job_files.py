from neurox_lite.pipeline.stages import STAGES
from neurox_lite.report.job_files import JOB_FILES


def test_every_stage_has_its_files_and_every_file_its_stage() -> None:
    assert {file.stage for file in JOB_FILES} == {stage.name for stage in STAGES if stage.files}
    names = [name for stage in STAGES for name in (*stage.files, *stage.sometimes)]
    assert len(set(names)) == len(names)


def test_names_of_tables_are_beside_the_results() -> None:
    names = {file.table_name(".csv") for file in JOB_FILES if file.table}
    assert {"control.csv", "probe/evaluation.csv", "search.csv"} <= names
    assert "ranking.csv" not in names  # written with the ranking
