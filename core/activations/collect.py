"""One pass over the texts: rows, norms and moments at every site, saved in a work folder."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from core.activations.accumulate import Accumulator
from core.activations.forward import TOKENS_AT_ONCE, SiteReader, token_places
from core.activations.pooling import DocumentMeans, Pooling, Tokens
from core.activations.shapes import ChosenPoints, ChosenRows, Grid, Places, TokenNumbers
from core.activations.tokens import Corpus, draw_rows, kept_tokens, length_buckets
from core.activations.work import Work
from core.array_types import Bools, Float32s, Int64s
from core.errors import Cancelled
from core.lm.frozen import FrozenModel
from core.lm.memory import MEMORY_ERRORS, Portions
from core.lm.sites import middle_site, resolve_sites
from core.progress import Progress
from core.specs.cloud import FINAL, CloudSpec, Site

LOOK_FOR_SINKS = 0
"""The stage of a capture before the main one; without a sink filter nothing runs in it."""


@dataclass(frozen=True)
class Collected:
    """Results of a pass.

    Attributes:
        rows: (n_rows,) numbers of the sampled tokens, or documents, ascending.
        points: (n_sites, n_rows, d_model), mapped from the work folder.
        norms: (n_rows,) of the points, taken at `norm_site`.
        norm_site: where norms were taken.
        median_norm: of the tokens that pass the filter, sinks included.
        n_kept: tokens that count.
        n_sinks: tokens dropped as sinks.
    """

    rows: Int64s
    points: Float32s
    norms: Float32s
    norm_site: Site
    median_norm: float
    n_kept: int
    n_sinks: int


@dataclass(frozen=True)
class _Batch:
    """Which states of a flattened (batch × pos) grid to keep.

    Attributes:
        numbers: of the tokens that count.
        places: where they stand in the grid.
        slots: rows of the sample that are among the batch's points.
        picks: which of the points they are.
    """

    numbers: TokenNumbers
    places: Places
    slots: ChosenRows
    picks: ChosenPoints


class Collector:
    """Runs the batches of a capture, continuing from its work folder.

    Attributes:
        plan: what decides, besides the capture's key, what a batch gives.
        portions: how much of a batch is run at once.
    """

    def __init__(
        self, spec: CloudSpec, frozen: FrozenModel, corpus: Corpus, sites: tuple[Site, ...], progress: Progress
    ) -> None:
        """Decide which tokens count and how they are batched; nothing runs yet.

        Raises:
            BadData: no token passes the filter.
        """
        budget = TOKENS_AT_ONCE[frozen.device.type]
        self.plan = f"{sites} {frozen.device} {frozen.dtype} {budget} {torch.__version__} {len(corpus.ids)}"
        self.portions = Portions(frozen.device)
        self._spec, self._frozen, self._corpus, self._sites, self._progress = spec, frozen, corpus, sites, progress
        self._kept = kept_tokens(corpus, spec.tokens)
        self._batches = length_buckets(corpus.lengths, budget)
        self._ratio = spec.tokens.sink_ratio
        self._norm_site = norm_site(sites, frozen.n_layers, find_sinks=self._ratio is not None)

    def open_work(self, folder: Path) -> Work:
        """Return the work folder, with what an earlier attempt left in it.

        Raises:
            OSError: no space.
        """
        n_rows = min(self._spec.rows, int(self._pooling(self._kept).there.sum()))
        shapes = {"rows": (len(self._sites), n_rows, self._frozen.d_model), "norms": (len(self._corpus.ids),)}
        sums = {site: Accumulator(self._frozen.d_model, self._frozen.device) for site in self._sites}
        return Work(folder, self.plan, shapes, sums)

    def run(self, work: Work) -> Collected:
        """Do what is left to do.

        Raises:
            Cancelled: by the progress, after what is done was saved.
            OutOfMemory: not even one document fits into the device's memory.
        """
        try:
            if work.stage == LOOK_FOR_SINKS:
                if self._ratio is not None:
                    self._run_stage(work, (self._norm_site,), np.empty(0, dtype=np.int64), "Looking for sinks")
                work.next_stage()
            norms, kept = work.arrays["norms"], self._kept
            if self._ratio is not None:
                kept = kept & (norms <= self._ratio * np.median(norms[kept]))
            pooling = self._pooling(kept)
            rows = draw_rows(pooling.there, self._spec.rows, self._spec.seed)
            self._run_stage(work, self._hooked(), rows, "Capturing", pooling)
        except Cancelled:
            work.save()
            raise
        points, norm_site = work.arrays["rows"][:, : len(rows)], self._norm_site
        if isinstance(pooling, DocumentMeans):
            norm_site = self._highest_site_up_to(norm_site)
            own = np.linalg.norm(points[self._sites.index(norm_site)], axis=1)
        else:
            own = norms[rows]
        return Collected(
            rows=rows,
            points=points,
            norms=own,
            norm_site=norm_site,
            median_norm=float(np.median(norms[self._kept])),
            n_kept=int(kept.sum()),
            n_sinks=int(self._kept.sum() - kept.sum()),
        )

    def _pooling(self, kept: Bools) -> Pooling:
        return DocumentMeans(kept, self._corpus) if self._spec.pooling == "mean" else Tokens(kept)

    def _highest_site_up_to(self, limit: Site) -> Site:
        """Return the last captured site up to a limit; the first one if all are above it."""
        order = resolve_sites((*self._sites, limit), self._frozen.n_layers)
        below = [site for site in order[: order.index(limit) + 1] if site in self._sites]
        return below[-1] if below else self._sites[0]

    def _hooked(self) -> tuple[Site, ...]:
        """Return the sites to read, in the order of the stream, including the one for norms."""
        return resolve_sites((*self._sites, self._norm_site), self._frozen.n_layers)

    def _run_stage(
        self, work: Work, sites: tuple[Site, ...], rows: Int64s, message: str, pooling: Pooling | None = None
    ) -> None:
        """Run the batches that are left of a stage; without `pooling` only norms are taken."""
        reader = SiteReader(self._frozen, sites)
        sizes = [int(self._corpus.lengths[documents].sum()) for documents in self._batches]
        n_stages = 1 if self._ratio is None else 2
        n_before = work.stage * sum(sizes) if n_stages == 2 else 0
        for index in range(work.next_batch, len(self._batches)):
            words = f"{message}, {self.portions.note}" if self.portions.note else message
            self._progress(n_before + sum(sizes[:index]), n_stages * sum(sizes), words)
            self._run_batch(work, reader, self._batches[index], rows, pooling)
            work.next_batch = index + 1
            work.save_if_due()
        self._progress(n_before + sum(sizes), n_stages * sum(sizes), message)

    def _run_batch(
        self,
        work: Work,
        reader: SiteReader,
        documents: Int64s,
        rows: Int64s,
        pooling: Pooling | None,
        read: frozenset[Site] = frozenset(),
    ) -> None:
        """Run a batch, in parts where memory has run out; sites that were `read` before it did are not read again."""
        width = int(self._corpus.lengths[documents].max())
        while len(documents):
            n, own = self.portions.parts(len(documents), width)[0].stop, set(read)
            part, documents = documents[:n], documents[n:]
            try:
                self._read(work, reader, part, rows, pooling, own)
                continue
            except MEMORY_ERRORS as error:
                self.portions.shrink(n, width, error)
            self._run_batch(work, reader, part, rows, pooling, frozenset(own))

    def _read(
        self, work: Work, reader: SiteReader, documents: Int64s, rows: Int64s, pooling: Pooling | None, read: set[Site]
    ) -> None:
        batch = self._batch(documents, pooling or Tokens(self._kept), rows)

        def receive(site: Site, stream: Grid) -> None:
            if site in read:
                return
            states = stream.reshape(-1, stream.shape[-1])[batch.places]
            if site == self._norm_site:
                norms = torch.linalg.vector_norm(states.float(), dim=1)
                work.arrays["norms"][batch.numbers] = norms.cpu().numpy()
            if pooling and site in work.accumulators:
                points = pooling.points(batch.numbers, states)
                chosen = points[batch.picks].float().cpu().numpy()
                work.arrays["rows"][self._sites.index(site), batch.slots] = chosen
                work.accumulators[site].add(points)  # last: it is the one thing that must not be done twice
            read.add(site)

        reader.read(self._corpus, documents, receive)

    def _batch(self, documents: Int64s, pooling: Pooling, rows: Int64s) -> _Batch:
        numbers, places = token_places(self._corpus, documents)
        wanted = pooling.kept[numbers]
        numbers, places = numbers[wanted], places[wanted]
        _, slots, picks = np.intersect1d(rows, pooling.names(numbers), assume_unique=True, return_indices=True)
        device = self._frozen.device
        return _Batch(numbers, torch.from_numpy(places).to(device), slots, torch.from_numpy(picks).to(device))


def norm_site(sites: tuple[Site, ...], n_layers: int, find_sinks: bool) -> Site:
    """Return the site for norms: the middle one, or the highest of the requested sites if it is lower.

    Where sinks are looked for, the middle has to be reached in any case.
    """
    middle, highest = middle_site(n_layers), sites[-1]
    if find_sinks or highest == FINAL:
        return middle
    return min(middle, int(highest))
