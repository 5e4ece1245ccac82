"""The document of `tests.gpu.run` as Markdown tables."""

from typing import Any


def table(document: dict[str, Any]) -> str:
    """Return the tables: checks, a table per shape, capture."""
    lines = ["| check against the CPU | loss apart | gradient apart | |", "|---|---|---|---|"]
    for case in document["checks"]:
        passed = "equal" if case["passed"] else "**differs**"
        lines.append(
            f"| {case['name']} | {case['loss_difference']:.1e} | {case['gradient_difference']:.1e} | {passed} |"
        )
    for shape in document["shapes"]:
        lines += ["", *_steps(shape)]
    capture = document["capture"]
    lines += [
        "",
        f"Exact moments of {capture['sites']} sites of {capture['batch']} × {capture['tokens']} tokens: "
        + ", ".join(
            f"{name} {row['tokens_per_second']:,.0f} tokens per second, {_size(row['step_bytes'])}"
            for name, row in capture["ways"].items()
        )
        + f" (ratio {capture['ratio']:.2f}).",
        "",
        f"Measured on {document['measured_on']['device']} in {document['seconds']:.0f} s; "
        f"one large bfloat16 product runs at {document['matmul_operations_per_second'] / 1e12:.0f} TFLOP/s there.",
    ]
    return "\n".join(lines)


def _steps(shape: dict[str, Any]) -> list[str]:
    waits = shape["host_waits_per_step"]
    lines = [
        f"{shape['name']}, {shape['batch']} × {shape['tokens']} tokens, {shape['labels']} labels"
        + (f"; the host waits {waits} times per step:" if waits is not None else ":"),
        "",
        "| step | ms | tokens/s | × PEFT bfloat16 | × PEFT default | of measured matmul | MFU | memory of a step |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, row in shape["steps"].items():
        shares = [_percent(row.get(key)) for key in ("share_of_measured_matmul", "model_flop_utilisation")]
        lines.append(
            f"| {name} | {1000 * row['seconds']:.1f} | {row['tokens_per_second']:,.0f} | "
            f"{row['ratio_to_peft_bfloat16']:.2f} | {row['ratio_to_peft_default']:.2f} | "
            f"{' | '.join(shares)} | {_size(row['step_bytes'])} |"
        )
    return lines


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def _size(n_bytes: int | None) -> str:
    return f"{n_bytes / 2**30:.2f} GiB" if n_bytes else "–"
