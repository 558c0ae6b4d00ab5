"""cluster.yaml: valid by Ray's own schema, closed to everyone but SSH, and whole enough to install the project."""

from __future__ import annotations

import copy
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import ray.autoscaler
import yaml
from ray.autoscaler._private.aws.config import _create_default_inbound_rules
from ray.autoscaler._private.util import prepare_config, validate_config

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = json.loads((Path(ray.autoscaler.__file__).parent / "ray-schema.json").read_text())


@pytest.fixture
def cluster() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "cluster.yaml").read_text())


def commands(cluster: dict[str, Any]) -> list[str]:
    """Every command that any node runs."""
    return [line for name, lines in cluster.items() if name.endswith("_commands") for line in lines]


def test_it_is_valid_by_rays_schema(cluster):
    jsonschema.validate(cluster, SCHEMA)


def test_rays_schema_refuses_a_misspelt_key(cluster):
    with pytest.raises(jsonschema.ValidationError, match="max_worker"):
        jsonschema.validate(cluster | {"max_worker": 3}, SCHEMA)


def test_ray_accepts_it_with_its_own_defaults_filled_in(cluster):
    whole = prepare_config(copy.deepcopy(cluster))
    validate_config(whole)
    assert whole["head_setup_commands"][: len(cluster["setup_commands"])] == cluster["setup_commands"]
    assert whole["available_node_types"]["gpu_worker"]["min_workers"] == 0


def test_the_rules_that_ray_makes_of_it_open_ssh_to_the_outside_and_nothing_else(cluster):
    """Ray puts its own rules before the file's; AWS refuses a rule that is there twice."""
    extra = cluster["provider"]["security_group"].get("IpPermissions")
    rules = _create_default_inbound_rules({"sg-of-the-nodes"}, extra)
    outside = [rule for rule in rules if rule.get("IpRanges") or rule.get("Ipv6Ranges") or rule.get("PrefixListIds")]
    assert [(rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in outside] == [("tcp", 22, 22)]
    inside = [rule["UserIdGroupPairs"] for rule in rules if rule not in outside]
    assert inside == [[{"GroupId": "sg-of-the-nodes"}]]


def test_the_dashboard_listens_on_the_head_alone_and_nothing_listens_to_the_world(cluster):
    (head,) = [line for line in cluster["head_start_ray_commands"] if "--head" in line]
    assert "--dashboard-host=127.0.0.1" in head
    assert not [line for line in commands(cluster) if "0.0.0.0" in line]


def test_every_node_installs_this_project_under_its_constraints(cluster):
    (install,) = [line for line in commands(cluster) if "pip install" in line]
    assert install in cluster["setup_commands"]
    assert re.search(r"cd ~/ser-orchestrator && .*--constraint constraints\.txt --editable '\.\[aws\]'$", install)


def test_the_head_gets_what_ray_needs_to_start_machines_and_to_show_its_dashboard():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["aws"]
    assert {re.split("[<>=]", name)[0] for name in extras} == {"boto3", "ray[default]"}


def test_what_the_installation_needs_goes_to_the_nodes_and_nothing_else(cluster):
    """So no licensed corpus, store or run that lies in the folder is copied by accident."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = [pattern.rstrip("*") for pattern in settings["tool"]["setuptools"]["packages"]["find"]["include"]]
    needed = {*packages, settings["project"]["readme"], *settings["project"]["license-files"]}
    mounts = cluster["file_mounts"]
    assert set(mounts.values()) == needed | {"pyproject.toml", "constraints.txt"}
    assert all(remote == f"~/ser-orchestrator/{local}" for remote, local in mounts.items())
    assert all((ROOT / local).exists() for local in mounts.values())


def test_no_node_starts_from_rays_own_image_whose_python_is_too_old(cluster):
    """Ray 2.60's ``latest_dlami`` is Ubuntu 18.04 (``ray/autoscaler/_private/aws/config.py``)."""
    images = {node["node_config"].get("ImageId", "") for node in cluster["available_node_types"].values()}
    assert len(images) == 1
    assert images.isdisjoint({"", "latest_dlami"})


def test_workers_have_a_gpu_come_with_the_work_and_are_bounded(cluster):
    worker = cluster["available_node_types"]["gpu_worker"]
    assert worker["resources"]["GPU"] == 1
    assert worker["min_workers"] == 0
    assert 0 < worker["max_workers"] <= cluster["max_workers"]


def test_every_node_has_the_folder_of_runs_that_trials_write_their_models_to(cluster):
    """Tune writes a trial's checkpoint on the trial's node and reads it on the head, under one path."""
    runs = "/home/ubuntu/ser-orchestrator/runs"
    assert any(f"'{runs} *(rw," in line for line in cluster["head_setup_commands"])
    mount, start = cluster["worker_start_ray_commands"][-2:]
    assert f"$RAY_HEAD_IP:{runs} {runs}" in mount
    assert "ray start" in start
