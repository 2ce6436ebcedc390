from __future__ import annotations

import dataclasses
import json
import math
import re
import shutil
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from matchmaking.engine.evaluation import (
    Benchmark,
    Measures,
    Query,
    Supplier,
    dcg,
    ndcg,
    recall,
    reciprocal_rank,
)
from matchmaking.engine.report import plain
from matchmaking.management.commands import evaluate_engine
from matchmaking.templatetags import reasons
from tests.matchmaking.engine.conftest import CATEGORIES, GOLDEN, SMALL


@pytest.fixture(autouse=True)
def read_once(monkeypatch, trees, encoder):
    """The vectors of a tree and the encoder's weights take seconds: all tests ask the same ones."""
    monkeypatch.setattr(evaluate_engine, "read_taxonomy", trees)
    monkeypatch.setattr(evaluate_engine, "UniversalSentenceEncoder", lambda: encoder)


def evaluated(folder, *options):
    out = StringIO()
    call_command("evaluate_engine", str(folder), "--json", *options, stdout=out)
    return json.loads(out.getvalue())


def test_golden_lines_reach_the_floors():
    result = evaluated(GOLDEN, "--taxonomy", str(CATEGORIES))

    assert list(result) == [
        *(
            "ndcg10",
            "ndcg10_judged",
            "recall20",
            "mrr10",
            "cross_language_ndcg10",
            "queries",
            "documents",
        ),
        *("build_s", "query_cpu_s", "peak_rss_mb", "engine_version"),
    ]
    assert (result["queries"], result["documents"]) == (150, 466)
    assert result["ndcg10"] >= 0.855
    assert result["ndcg10_judged"] >= 0.942
    assert result["cross_language_ndcg10"] >= 0.757
    assert result["recall20"] >= 0.95


def test_golden_lines_without_embedding_reach_lower_floors():
    result = evaluated(GOLDEN, "--no-embedding")

    assert result["ndcg10"] >= 0.72
    assert result["cross_language_ndcg10"] >= 0.48


def test_a_given_category_helps():
    assert evaluated(GOLDEN, "--category", "cats")["ndcg10"] >= 0.863


def test_gain_is_exponential_and_discounted():
    assert dcg(["a", "b", "c"], {"a": 1, "c": 2}) == pytest.approx(1 + 3 / math.log2(4))


def test_ndcg_counts_against_the_best_order_of_all_judged():
    grades = {"a": 3, "b": 1, "z": 2}

    assert ndcg(["a", "z", "b"], grades) == 1.0
    assert ndcg(["x", "a"], grades) == pytest.approx(
        (7 / math.log2(3)) / dcg(["a", "z", "b"], grades)
    )
    assert ndcg(["a"], {"a": 0}) == 0.0


def test_recall_and_rank_look_only_so_deep():
    ranking = [f"d{place}" for place in range(1, 40)]

    assert recall(ranking, {"d20", "d21"}) == 0.5
    assert recall(ranking, {f"d{place}" for place in range(1, 31)}) == 1.0
    assert reciprocal_rank(ranking, {"d4", "d9"}) == 0.25
    assert reciprocal_rank(ranking, {"d11"}) == 0.0


def test_measures_leave_out_what_does_not_apply():
    suppliers = (
        Supplier("s1", ("a",), (), "zh"),
        Supplier("s2", ("b",), (), "en"),
        Supplier("s3", ("c",), (), None),
    )
    query = Query("q", "x", (), None, "zh")
    weak = Query("w", "x", (), None, "zh")
    measures = Measures(
        Benchmark(suppliers, (query, weak), {"q": {"s1": 3, "s2": 2, "s3": 1}, "w": {"s1": 1}})
    )

    measures.add(query, ["s1", "s3", "s2"])
    measures.add(weak, ["s2", "s1", "s3"])

    assert measures.values["cross_language_ndcg10"] == [pytest.approx(0.5)]
    assert measures.values["recall20"] == [1.0]
    assert measures.values["ndcg10_judged"] == [pytest.approx(0.9721, abs=1e-4), 1.0]
    assert measures.values["ndcg10"][1] == pytest.approx(1 / math.log2(3))


@pytest.fixture
def folder(tmp_path):
    docs = [
        {"id": "s1", "texts": ["湿法隔膜", "coated separator"], "cats": ["13", "30"]},
        {"id": "s2", "texts": ["组串逆变器"], "cats": []},
    ]
    queries = [{"id": "q1", "text": "隔膜", "cats": ["13"], "cats_noisy": ["30"]}]
    (tmp_path / "docs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in docs), "utf-8")
    (tmp_path / "queries.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in queries), "utf-8"
    )
    (tmp_path / "qrels.tsv").write_text("q1\ts1\t2\n", "utf-8")
    return tmp_path


def written(path, folder, *options):
    call_command("evaluate_engine", str(folder), *options, "--report", str(path), stdout=StringIO())
    return path.read_text("utf-8")


def test_report_says_what_was_put_first_what_should_have_been_and_why(tmp_path, folder):
    text = written(
        tmp_path / "report.md", GOLDEN, "--no-embedding", "--also", str(folder),
        "--taxonomy", str(CATEGORIES),
    )  # fmt: skip

    golden, _, other = text.partition(f"## {plain(folder.name)}\n")
    table = [line.split("|")[1].strip() for line in golden.splitlines() if line.startswith("| ")]
    assert table == ["line → supplier", "all", "en → en", "en → zh", "zh → en", "zh → zh"]
    assert golden.count("#### ") == 20
    worst = golden.partition("#### ")[2].partition("#### ")[0]
    assert "Put first:" in worst
    assert "Should have stood there:" in worst
    assert re.search(
        r"^- place 1, (grade \d|not judged): .+\n  - [\d.]+ points: text ", worst, re.MULTILINE
    )
    assert re.search(r"^- place \d+, grade [123]: ", worst, re.MULTILINE)
    # Reasons are sentences with names, not codes.
    assert re.search(
        r"^  - for: Both texts read like the same category: (?!.*\b[A-Z]{2}\d{4}\b)\w",
        golden,
        re.MULTILINE,
    )
    # The lowest come first.
    figures = [float(found) for found in re.findall(r"nDCG@10 ([\d.]+),", golden)]
    assert figures == sorted(figures)
    assert other.count("#### ") == 1
    assert "All that was judged to fit stands there." in other


def test_report_names_no_database(tmp_path, folder):
    """The names come from the tree that was given: no table is asked, and none is remembered."""
    assert "for: Both texts read like the same category: Separators" in written(
        tmp_path / "report.md", folder, "--no-embedding", "--taxonomy", str(tree(tmp_path))
    )
    assert reasons.names._read_at is None


def tree(tmp_path):
    path = tmp_path / "tree.json"
    path.write_text(json.dumps([dataclasses.asdict(row) for row in SMALL]), "utf-8")
    return path


def test_weights_are_compared_line_by_line(tmp_path):
    """Without categories the other language is not found: worse, and surely so."""
    weights = tmp_path / "weights.json"
    weights.write_text('{"text": 70, "category": 0}', "utf-8")
    saved = tmp_path / "saved.json"

    result = evaluated(GOLDEN, "--no-embedding", "--save", str(saved), "--against", str(weights))
    again = evaluated(GOLDEN, "--no-embedding", "--against", str(weights), str(saved))

    row = result["against"]["this run against weights.json"]["ndcg10"]
    assert row["this"] == result["ndcg10"]
    assert row["lines"] == 150
    assert 0 < row["low"] < row["difference"] < row["high"]
    assert row["better"] > row["worse"]
    # Of two files the first is compared with the second; the same draws, the other way round.
    back = again["against"]["weights.json against saved.json"]["ndcg10"]
    assert (back["this"], back["other"]) == (row["other"], row["this"])
    assert (back["difference"], back["low"], back["high"]) == (
        -row["difference"],
        -row["high"],
        -row["low"],
    )
    assert (back["better"], back["worse"]) == (row["worse"], row["better"])


def test_figures_are_the_same_with_and_without_a_comparison(folder, tmp_path):
    alone = evaluated(folder, "--no-embedding")
    saved = tmp_path / "saved.json"

    compared = evaluated(
        folder, "--no-embedding", "--save", str(saved), "--report", str(tmp_path / "report.md")
    )

    assert list(compared) == list(alone)
    assert json.loads(saved.read_text("utf-8"))["lines"] == {
        "q1": {"ndcg10": 1.0, "ndcg10_judged": 1.0, "recall20": 1.0, "mrr10": 1.0}
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"same_u": 1, "sam_t": 2}', "'sam_t' is no weight"),
        ('{"same_u": "much"}', "'same_u' is no weight, or not a number"),
        ("[]", "neither a result nor weights"),
        ("{", "rival.json, line 1: Expecting property name"),
        ('{"name": "", "set": "other", "category": "none", "engine_version": "1", "lines": {}}',
         "rival.json of other \\(none\\): nothing to compare"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused(folder, content, said):
    rival = folder / "rival.json"
    rival.write_text(content, "utf-8")

    with pytest.raises(CommandError, match=said):
        evaluated(folder, "--no-embedding", "--against", str(rival))


@pytest.mark.parametrize("category", ["none", "cats", "cats_noisy"])
def test_flat_categories_unknown_to_the_tree_are_no_obstacle(folder, category):
    result = evaluated(folder, "--category", category)

    assert (result["ndcg10"], result["mrr10"], result["cross_language_ndcg10"]) == (1.0, 1.0, None)


@pytest.mark.parametrize(
    ("file", "line", "said"),
    [
        ("docs.jsonl", '{"id": "s3"}', "docs.jsonl, line 3: texts is missing or empty"),
        ("docs.jsonl", "{", "docs.jsonl, line 3: Expecting property name"),
        ("docs.jsonl", "[]", "docs.jsonl, line 3: not a JSON object"),
        ("queries.jsonl", '{"id": "q2"}', "queries.jsonl, line 2: the field 'text' is missing"),
        ("queries.jsonl", '{"id": "q2", "text": 5}', "queries.jsonl, line 2: text is not a text"),
        ("qrels.tsv", "q1\ts1", "qrels.tsv, line 2: not three fields separated by tabs"),
        ("qrels.tsv", "q1\ts1\thigh", "qrels.tsv, line 2: invalid literal"),
    ],
)
def test_malformed_line_is_named_by_file_and_number(folder, file, line, said):
    with (folder / file).open("a", encoding="utf-8") as out:
        out.write(line + "\n")

    with pytest.raises(CommandError) as refused:
        evaluated(folder)

    assert said in str(refused.value)


def test_missing_file_is_named(folder):
    (folder / "qrels.tsv").unlink()

    with pytest.raises(CommandError, match=r"qrels\.tsv cannot be read"):
        evaluated(folder)


def test_broken_taxonomy_is_named(folder):
    (folder / "tree.json").write_text('[{"code": "A"}]', "utf-8")

    with pytest.raises(CommandError, match=r"tree\.json, line 1"):
        evaluated(folder, "--taxonomy", str(folder / "tree.json"))


def test_noisy_categories_that_do_not_exist_are_refused():
    with pytest.raises(CommandError, match="no cats_noisy"):
        evaluated(GOLDEN, "--category", "cats_noisy")


def test_same_folder_gives_the_same_figures_twice(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")

    one, other = evaluated(folder), evaluated(copy)

    figures = ("ndcg10", "ndcg10_judged", "recall20", "mrr10")
    assert [one[name] for name in figures] == [other[name] for name in figures]
