"""Tables that are taken away are what is on the page."""

from io import BytesIO, StringIO

import numpy as np
import pandas as pd

from pages.widgets.tables import csv, parquet

FRAME = pd.DataFrame(
    {
        "token": ["a,b", 'c"', None],
        "site": [0, "final", 3],
        "value": [1.5, np.nan, -2.0],
        "n": pd.array([1, None, 3], "Int64"),
    }
)


def test_csv_holds_every_row():
    back = pd.read_csv(StringIO(csv(FRAME).decode()))
    assert back["token"].tolist()[:2] == ["a,b", 'c"']
    assert back["value"].tolist()[::2] == [1.5, -2.0]


def test_parquet_keeps_types_and_turns_mixed_columns_into_text():
    back = pd.read_parquet(BytesIO(parquet(FRAME)))
    assert back["site"].tolist() == ["0", "final", "3"]
    assert back["value"].dtype == np.float64
    assert back["n"].tolist()[::2] == [1, 3]
    assert FRAME["site"].tolist() == [0, "final", 3], "the table on the page stays as it is"


def test_names_of_columns_may_be_numbers():
    assert pd.read_parquet(BytesIO(parquet(pd.DataFrame({0: [1], 1: [2]})))).columns.tolist() == ["0", "1"]


def test_an_empty_table_can_be_taken_away():
    assert pd.read_parquet(BytesIO(parquet(pd.DataFrame({"a": []})))).empty
