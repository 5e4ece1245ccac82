import pytest

from tests.gpu.models import LLAMA_1B, random_work
from tests.gpu.report import table
from tests.gpu.run import measure
from tests.gpu.steps import operations


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")  # PEFT asks for it
def test_the_script_checks_and_measures_tiny_shapes_without_a_gpu():
    document = measure("cpu", tiny=True)

    assert all(case["passed"] for case in document["checks"])
    (shape,) = document["shapes"]
    assert set(shape["steps"]) == {"soft", "deep, cut", "PEFT, bfloat16", "PEFT, default"}
    assert all(row["seconds"] > 0 for row in shape["steps"].values())
    assert document["capture"]["ratio"] > 0
    lines = table(document).splitlines()
    assert sum(line.startswith("| soft |") for line in lines) == 1
    assert "Measured on cpu" in lines[-1]


def test_operations_of_the_large_shape_are_those_of_its_weights():
    # 973 million weights in blocks, forward and back: 4 operations per weight and token; the output matrix at labels.
    work = random_work(16, 256, 100, "cpu", seed=0)

    needed = operations(LLAMA_1B, 16, 256, len(work.batch.targets))

    blocks = 4 * 16 * (2048 * 64 * (2 * 32 + 2 * 8) + 3 * 2048 * 8192) * (16 * 256 + 21)
    head = 4 * 2048 * 128_256 * 1024
    assert blocks + head < needed < 1.1 * (blocks + head)
