"""Activations that stand in for those that were chosen and are not stored."""

from collections.abc import Sequence

from core.activations.clouds import Cloud, find_cloud, nearest_cloud
from core.jobs.projection import nearest_map
from core.specs import FINAL, CloudSpec, ProjectionSpec
from core.specs.nearest import Nearest, differences, holds
from core.store import Store
from pages.maps.clouds import fitted_spec, need_clouds
from pages.widgets.layout import errors
from pages.widgets.nearest import shown_instead


def stored_clouds(
    specs: Sequence[CloudSpec], store: Store, key: str, elsewhere: bool = False
) -> list[CloudSpec] | None:
    """Return the specs of stored activations: those asked for, or the nearest.

    If they are the nearest, the page says what differs and offers to make those asked for.
    `elsewhere` says whether another site may stand in. If nothing is near, the offer is drawn and
    None returned.
    """
    with errors():
        missing = [spec for spec in specs if find_cloud(spec, store) is None]
        near = {spec: found for spec in missing if (found := _nearest(spec, store, elsewhere))}
        enough = len(near) == len(missing)
        if missing:
            with shown_instead(list(near.values()) if enough else []):
                need_clouds(missing, store, key)
        shown = [near[spec].spec if spec in near else spec for spec in specs]
        return list(dict.fromkeys(shown)) if enough else None
    return None


def stored_view(spec: ProjectionSpec, store: Store, key: str, elsewhere: bool = False) -> ProjectionSpec | None:
    """Return a map's spec for stored activations, see `stored_clouds`.

    If they stand in for others, it is the spec of one of their stored maps, where there is one.
    """
    found = stored_clouds(spec.clouds, store, key, elsewhere)
    if found is None or found == list(spec.clouds):
        return None if found is None else spec
    sites = [site for site in found[0].sites if all(holds(one.sites, (site,)) for one in found)]
    if not sites:
        return None
    site = spec.site if spec.site in sites else sites[0]
    clouds = tuple(one.model_copy(update={"sites": (site,)}) for one in found)
    shown = spec.model_copy(update={"clouds": clouds, "site": site})
    near = nearest_map(fitted_spec(shown), store)
    return near.spec.model_copy(update={"n_components": spec.n_components}) if near else shown


def _nearest(spec: CloudSpec, store: Store, elsewhere: bool) -> Nearest[CloudSpec] | None:
    """Return the stored activations nearest to a spec, at its sites or at one other site."""
    found = nearest_cloud(spec, store, elsewhere)
    cloud = find_cloud(found.spec, store) if found else None
    if found is None or cloud is None:
        return None
    sites = spec.sites if spec.sites == "all" or holds(found.spec.sites, spec.sites) else _other_site(spec, cloud)
    shown = found.spec.model_copy(update={"sites": sites})
    return Nearest(shown, tuple(differences(spec, shown)))


def _other_site(spec: CloudSpec, cloud: Cloud) -> tuple[int | str]:
    """Return the site of a cloud that is nearest to the first of a spec."""
    wanted = spec.sites[0]
    last = max([site for site in cloud.sites if isinstance(site, int)], default=0) + 1

    def place(site: int | str) -> int:
        return last if site == FINAL else int(site)

    return (min(cloud.sites, key=lambda site: abs(place(site) - place(wanted))),)
