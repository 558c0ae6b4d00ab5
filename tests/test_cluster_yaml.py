"""cluster.yaml: valid by Ray's own schema, and closed to everyone but SSH."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import ray.autoscaler
import yaml

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = json.loads((Path(ray.autoscaler.__file__).parent / "ray-schema.json").read_text())


@pytest.fixture
def cluster() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "cluster.yaml").read_text())


def test_it_is_valid_by_rays_schema(cluster):
    jsonschema.validate(cluster, SCHEMA)


def test_rays_schema_does_refuse_what_is_wrong(cluster):
    wrong = copy.deepcopy(cluster) | {"max_worker": 3}
    with pytest.raises(jsonschema.ValidationError, match="max_worker"):
        jsonschema.validate(wrong, SCHEMA)


def test_ray_itself_accepts_it(cluster):
    from ray.autoscaler._private.util import prepare_config, validate_config

    validate_config(prepare_config(copy.deepcopy(cluster)))


def test_nothing_but_ssh_is_open_to_the_outside(cluster):
    rules = cluster["provider"]["security_group"]["IpPermissions"]
    assert [(rule["FromPort"], rule["ToPort"], rule["IpProtocol"]) for rule in rules] == [(22, 22, "tcp")]
    commands = " ".join(cluster["head_start_ray_commands"] + cluster["worker_start_ray_commands"])
    assert "--dashboard-host=127.0.0.1" in commands and "0.0.0.0" not in commands


def test_every_node_installs_this_project_under_its_constraints(cluster):
    assert any("--constraint constraints.txt --editable ." in command for command in cluster["setup_commands"])
    assert (ROOT / "constraints.txt").is_file()


def test_workers_have_gpus_come_with_the_work_and_are_bounded(cluster):
    worker = cluster["available_node_types"]["gpu_worker"]
    assert worker["resources"]["GPU"] == 1
    assert worker["min_workers"] == 0
    assert 0 < worker["max_workers"] <= cluster["max_workers"]
