import shutil

import pytest
from markdown_it import MarkdownIt

from affectkit.card import escape, write_card
from affectkit.errors import AffectkitError
from affectkit.evaluation import evaluate
from affectkit.inference import predict
from affectkit.run import CARD, read_metadata, write_metadata

NASTY = "<img src=x> [a](http://b) **c** | `d` \n# e ![f](g) www.h.i &amp; $x$"


def render(text):
    return MarkdownIt("gfm-like", {"linkify": False}).render(text)


def test_training_writes_a_card(run):
    card = (run / CARD).read_text()
    for part in ("# quick", "## Data", "| train | 4 | 4 |", "1 epochs", "Not evaluated yet",
                 "## Limits of use", "weight_decay", "fingerprint"):  # fmt: skip
        assert part in card
    assert "synthetic" not in card


def test_evaluate_adds_the_scores_to_the_card(run, recordings):
    for name in read_metadata(run)["splits"]["test"]:
        predict(run, recordings / f"{name}.zarr")
    scores = evaluate(run)
    pooled = scores.query("recording == '(all)' and metric == 'ccc' and affect == 'mean'").iloc[0]
    card = (run / CARD).read_text()
    assert "Not evaluated" not in card
    assert f"{pooled['value']:.3f} \\[{pooled['low']:.3f}, {pooled['high']:.3f}\\]" in card
    assert "subjects resampled" in card


def test_the_card_of_synthetic_data_says_so(run):
    write_metadata(run, read_metadata(run) | {"datasets": ["synthetic"]})
    write_card(run)
    assert "Trained on synthetic data only" in (run / CARD).read_text()


def test_names_from_users_files_cannot_add_markup(run):
    metadata = read_metadata(run)
    nasty = {"name": NASTY, "datasets": [NASTY], "backbone": NASTY, "splits": {NASTY: ["a"]}}
    write_metadata(run, metadata | nasty | {"crop": {"```": "``````\n# h"}})
    write_card(run)
    page = render((run / CARD).read_text())
    for tag in ("<img", "<a ", "<strong>c", "<code>d", "<h1>e", "<h1>h"):
        assert tag not in page
    assert page.count("<h1>") == 1
    assert page.count("<table>") == 1
    assert page.count("<td>") == 3


def test_escaped_text_renders_as_itself():
    text = "".join(map(chr, range(33, 127)))
    assert (
        render(escape(text))
        == "<p>"
        + text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace('"', "&quot;")
        + "</p>\n"
    )


def test_no_card_for_a_folder_that_is_not_a_run(run, tmp_path):
    shutil.rmtree(run)
    with pytest.raises(AffectkitError, match="is not a run"):
        write_card(run)


def test_the_card_says_what_the_agreements_say_about_sharing(run):
    write_metadata(run, read_metadata(run) | {"datasets": ["affwild2", "synthetic"]})
    write_card(run)
    card = (run / CARD).read_text()
    assert "affwild2: its newer agreement limits sharing of models" in card.replace("\\", "")
    assert "synthetic:" not in card.replace("\\", "")
