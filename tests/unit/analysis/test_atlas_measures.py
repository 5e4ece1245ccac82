import numpy as np
import pytest

from core.analysis.atlas_measures import measure_atlas_site
from core.analysis.atlas_plan import AtlasSettings, plan_atlas
from core.analysis.atlas_terms import ALL, COLUMNS, QUANTITIES, SHAPE
from core.analysis.map_alignment import align
from core.errors import BadRequest

SETTINGS = AtlasSettings(n_components=8, n_permutations=19, n_map=60)
NAMES = ("news", "sums", "code")


def clouds(shift: float = 3.0, seed: int = 0) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return points and documents of three data sets in 10 dimensions, `shift` apart."""
    rng = np.random.default_rng(seed)
    points, documents = [], []
    for label, n in enumerate((24, 20, 30)):
        at = 0.3 * rng.normal(size=(n, 1, 10))
        at[:, :, label] += shift
        points.append((at + rng.normal(size=(n, 8, 10))).reshape(-1, 10).astype(np.float32))
        documents.append(np.repeat(np.arange(n), 8))
    return points, documents


@pytest.fixture(scope="module")
def measured():
    points, documents = clouds()
    shared = plan_atlas(NAMES, documents, SETTINGS, np.random.default_rng(0))
    told: list[str] = []
    return shared, measure_atlas_site(points, shared, np.random.default_rng(1), told.append), told


def test_each_quantity_is_there_for_what_it_is_of(measured):
    _, found, _ = measured
    assert tuple(found.table.columns) == COLUMNS[1:]
    for quantity, definition in QUANTITIES.items():
        of = set(found.table.loc[found.table["quantity"] == quantity, "cloud"])
        expected = {ALL} if ALL in definition.of else set()
        expected |= {"news / sums", "news / code", "sums / code"} if "pair" in definition.of else set()
        expected |= set(NAMES) if "cloud" in definition.of else set()
        assert of == expected, quantity


def test_data_sets_apart_are_told_apart_and_the_numbers_lie_in_their_intervals(measured):
    _, found, _ = measured
    table = found.table.set_index(["quantity", "cloud"])
    for quantity in ("lda_accuracy", "logistic_accuracy", "neighbour_purity", "silhouette"):
        row = table.loc[(quantity, ALL)]
        assert row["p"] == pytest.approx(0.05)
        assert row["value"] > row["null_high"]
    assert (table["low"] <= table["value"]).all()
    assert (table["value"] <= table["high"]).all()
    for quantity in SHAPE:  # each cloud is nearly Gaussian
        for name in NAMES:
            row = table.loc[(quantity, name)]
            span = max(row["null_high"] - row["null_low"], row["high"] - row["low"])
            assert abs(row["value"] - row["null"]) < 4 * span, (quantity, name)


def test_every_direction_of_the_dip_is_told(measured):
    _, found, _ = measured
    assert found.directions.groupby("cloud").size().to_dict() == dict.fromkeys((ALL, *NAMES), 15)
    assert (found.directions["p_holm"] >= found.directions["p"]).all()


def test_the_small_map_has_as_many_points_of_each_data_set(measured):
    shared, found, _ = measured
    assert found.coordinates.shape == (60, 2)
    assert np.bincount(shared.rows.row_labels[shared.drawn]).tolist() == [20, 20, 20]
    assert 0 < found.explained[1] <= found.explained[0] < 1


def test_the_stages_are_told(measured):
    _, _, told = measured
    assert told[0] == "principal components"
    assert "shape of code beside a Gaussian" in told


def test_the_same_seed_gives_the_same_numbers(measured):
    shared, found, _ = measured
    again = measure_atlas_site(clouds()[0], shared, np.random.default_rng(1), lambda _: None)
    assert again.table.equals(found.table)
    assert (again.coordinates == found.coordinates).all()


def test_one_data_set_has_modes_and_shape_but_nothing_to_be_told_from():
    points, documents = clouds()
    shared = plan_atlas(("news",), documents[:1], SETTINGS, np.random.default_rng(0))
    found = measure_atlas_site(points[:1], shared, np.random.default_rng(1), lambda _: None)
    assert set(found.table["quantity"]) == {"dip", *SHAPE}
    assert set(found.table["cloud"]) == {"news"}


def test_too_few_documents_are_refused():
    with pytest.raises(
        BadRequest, match="The points of code come from 3 documents or groups of documents, but at least 4 are"
    ):
        plan_atlas(("news", "code"), [np.arange(20), np.arange(20) % 3], SETTINGS, np.random.default_rng(0))


def test_a_film_undoes_turns_mirrors_sizes_and_places_and_keeps_what_changes():
    rng = np.random.default_rng(0)
    first = rng.normal(size=(50, 2)) * [2, 1]
    turn = np.linalg.qr(rng.normal(size=(2, 2)))[0]
    one, two, other = align([first, 30 * first @ turn + 7, rng.normal(size=(50, 2))])
    assert np.median(np.linalg.norm(one, axis=1)) == pytest.approx(1)
    assert two == pytest.approx(one, abs=1e-6)
    assert np.abs(other - one).max() > 0.5
    with_sinks = np.vstack([first[:45], first[:5] + 1e6])
    assert np.median(np.linalg.norm(align([with_sinks])[0][:45], axis=1)) == pytest.approx(1, rel=0.2)
    assert align([np.ones((3, 2))])[0].tolist() == [[0, 0]] * 3
