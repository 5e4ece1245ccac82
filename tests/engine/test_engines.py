"""One engine a cache folder: how it starts, who shares it, when it goes."""

import os
import subprocess
import sys
from dataclasses import replace

import psutil
import pytest

from core.engine import client, local
from core.engine.memory import CACHES
from core.errors import BadRequest, Failed, Unreachable
from core.store import Store, list_jobs
from core.store.status import is_alive
from tests.engine.conftest import until
from tests.engine.toy_tasks import ToySpec


def test_importing_the_client_loads_neither_dask_nor_torch() -> None:
    code = (
        "import sys, core.engine.client, core.jobs.projection\n"
        "heavy = {'dask', 'distributed', 'torch', 'transformers', 'streamlit'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == ""
    assert done.returncode == 0


def test_a_worker_bounds_the_caches_of_arithmetic_unless_a_person_does(
    own_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LRU_CACHE_CAPACITY", "64")
    client.ensure_engine(own_store)
    (worker,) = until(lambda: client.engine_state(own_store).workers, "the engine tells of its worker")
    found = psutil.Process(worker.process).environ()
    assert {name: found[name] for name in CACHES} == {
        "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "512",
        "LRU_CACHE_CAPACITY": "64",
    }


def test_two_processes_at_once_share_one_engine_and_one_job(own_store: Store) -> None:
    code = (
        "from pathlib import Path\n"
        "from core.engine import client\n"
        "from core.store import Store\n"
        "from tests.engine.toy_tasks import ToySpec\n"
        f"store = Store(Path({str(own_store.root)!r}))\n"
        "job = client.submit('toy', ToySpec(name='together'), store)\n"
        "print(client.ensure_engine(store).process, job.id, client.wait(job, timeout=60).state)\n"
    )
    both = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = {process.communicate(timeout=60)[0].strip() for process in both}
    assert len(said) == 1
    assert said.pop().endswith("succeeded")
    assert list_jobs(own_store)[0].status().attempts == 1


def test_a_second_server_on_a_cache_folder_is_refused(engine_store: Store) -> None:
    engine = client.ensure_engine(engine_store)
    second = subprocess.run(
        [sys.executable, "-m", "core.engine.server", "--cache", str(engine_store.root)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert second.returncode == 1
    assert second.stderr.count("\n") == 1
    assert f"The cache folder {engine_store.root} already has an engine: process {engine.process} on" in second.stderr
    assert "set PRIORSCOPE_CACHE to another folder" in second.stderr
    assert is_alive(engine.process)


def test_the_engine_listens_to_this_machine_only(engine_store: Store) -> None:
    engine = client.ensure_engine(engine_store)
    processes = [psutil.Process(number) for number in (engine.process, *engine.workers)]
    found = [link for process in processes for link in process.net_connections("inet")]
    listening = {link.laddr.ip for link in found if link.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}


def test_the_worker_keeps_all_threads_for_arithmetic(engine_store: Store) -> None:
    engine = client.ensure_engine(engine_store)
    worker = psutil.Process(engine.workers[0])
    assert worker.environ().get("OMP_NUM_THREADS") == os.environ.get("OMP_NUM_THREADS")


def test_an_idle_engine_closes_itself(own_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRIORSCOPE_IDLE_MINUTES", "0.02")
    job = client.submit("toy", ToySpec(name="busy", steps=40, pause=0.05), own_store)
    engine = client.ensure_engine(own_store)
    assert client.wait(job, timeout=60).state == "succeeded", "an engine with a job is not idle"
    until(lambda: not is_alive(engine.process), "the engine closes")
    assert local.read_info(own_store) is None
    later = client.submit("toy", ToySpec(name="later"), own_store)
    assert client.wait(later, timeout=60).state == "succeeded"


def test_a_stale_record_is_replaced_and_so_is_an_idle_engine_of_other_code(
    own_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    stale = local.EngineInfo(address="tcp://127.0.0.1:1", process=bystander.pid, host=os.uname().nodename)
    local.write_info(own_store, stale)
    assert not client.stop_engine(own_store)
    first = client.ensure_engine(own_store)
    assert first.process != bystander.pid
    assert bystander.poll() is None, "a process that got the number of a dead engine is none of our business"
    bystander.communicate(b"\n")
    assert client.ensure_engine(own_store).process == first.process
    job = client.submit("toy", ToySpec(name="outdated", steps=2000, pause=0.05), own_store)
    monkeypatch.setattr(local, "code_version", lambda: "newer code")
    assert client.ensure_engine(own_store).process == first.process, "a busy engine stays"
    assert client.engine_state(own_store).outdated
    client.cancel(job, own_store)
    assert client.wait(job, timeout=60).state == "cancelled"
    second = client.ensure_engine(own_store)
    assert second.process != first.process
    assert not is_alive(first.process)


def test_an_engine_that_cannot_start_says_why(own_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRIORSCOPE_IDLE_MINUTES", "soon")
    with pytest.raises(Failed, match="PRIORSCOPE_IDLE_MINUTES is 'soon'; give a number of minutes above 0"):
        client.ensure_engine(own_store)


def test_a_cluster_that_does_not_answer_is_named_with_the_remedy(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(client.SCHEDULER, "tcp://127.0.0.1:1")
    with pytest.raises(Unreachable, match=r"No scheduler answers at tcp://127.0.0.1:1 within 5 s"):
        client.submit("toy", ToySpec(), store)
    assert not list_jobs(store)
    assert not client.engine_state(store).running


@pytest.mark.parametrize("address", ["127.0.0.1:8786", "http://host:80", "tcp://host", "tcp://host:port"])
def test_an_address_that_is_none_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv(client.SCHEDULER, address)
    with pytest.raises(BadRequest, match=r"is not an address; write tcp://host:port"):
        client.ensure_engine(store)


def test_a_spec_of_another_kind_is_refused(store: Store) -> None:
    with pytest.raises(BadRequest, match="A tune job takes a TuningSpec, not a ToySpec"):
        client.submit("tune", ToySpec(), store)


def test_a_cluster_that_went_away_is_told_while_waiting(engine_store: Store) -> None:
    job = client.submit("toy", ToySpec(name="left alone"), engine_store)
    client.wait(job, timeout=60)
    job.update(state="running", engine="tcp://127.0.0.1:1")
    with pytest.raises(Unreachable, match=f"no longer answers; {job.id} keeps what it has"):
        client.wait(job, timeout=60)
    job.update(state="failed")


def test_a_token_set_later_makes_an_engine_outdated(monkeypatch: pytest.MonkeyPatch) -> None:
    before = local.code_version()
    assert local.code_version() == before
    monkeypatch.setenv("HF_TOKEN", "a token")
    assert local.code_version() != before


def test_info_survives_fields_it_does_not_know(store: Store) -> None:
    info = local.EngineInfo(address="tcp://127.0.0.1:1", process=1)
    local.write_info(store, info)
    assert local.read_info(store) == info
    assert replace(info, code="").outdated is False
    (store.root / "engine" / local.ENGINE_FILE).write_text("{")
    assert local.read_info(store) is None
