"""Panels of equal size in rows, one figure."""

from dataclasses import dataclass

import plotly.graph_objects as go


@dataclass(frozen=True)
class PanelGrid:
    """Where panels lie in a figure of subplots."""

    n_panels: int
    most_columns: int

    @property
    def n_columns(self) -> int:
        """Return the number of panels in a full row."""
        return min(self.most_columns, self.n_panels)

    @property
    def n_rows(self) -> int:
        """Return the number of rows, the last of which may have gaps."""
        return -(-self.n_panels // self.n_columns)

    def cell(self, panel: int) -> tuple[int, int]:
        """Return row and column of a panel, both counted from 1 as Plotly does."""
        return panel // self.n_columns + 1, panel % self.n_columns + 1

    def hide_gaps(self, figure: go.Figure) -> None:
        """Hide the axes of the cells of the last row that have no panel."""
        for panel in range(self.n_panels, self.n_rows * self.n_columns):
            row, column = self.cell(panel)
            figure.update_xaxes(visible=False, row=row, col=column)
            figure.update_yaxes(visible=False, row=row, col=column)
