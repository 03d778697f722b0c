"""The Helm chart: linted, rendered, every object valid, and wrong values refused."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import helm_python
import jsonschema
import kubernetes_validate
import pytest
import yaml

from core.running import crew, signals
from deploy.kubernetes import __main__ as kubernetes
from tests.deploy import dockerfile, monitoring

ROOT = dockerfile.ROOT
CHART = kubernetes.CHART
RULES = ROOT / "deploy" / "prometheus"
DASHBOARDS = ROOT / "deploy" / "grafana" / "dashboards"
IMAGE = dockerfile.stages(ROOT / "deploy" / "Dockerfile")[1][-1]
COMMENTED = re.compile(r"^# (?=\[|\w+ = )", re.MULTILINE)
OLDEST, NEWEST = "1.25", "1.37"
FROM_MONITORING = {"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}
CASES = {
    "defaults": {},
    "all on": {
        "replicaCount": 3,
        "image": {"repository": "mirror.example:5000/ops/replyby", "tag": "1.2.3"},
        "imagePullSecrets": [{"name": "mirror"}],
        "secret": {"values": {"database_url": "postgresql://u:p@db/x", "desk_url": "https://x"}},
        "web": {
            "enabled": True, "publicUrl": "https://replyby.example", "proxies": ["10.0.0.0/8"],
        },
        "push": {"enabled": True, "publicUrl": "https://push.replyby.example"},
        "ingress": {
            "enabled": True, "className": "nginx", "webHost": "replyby.example",
            "pushHost": "push.replyby.example", "tlsSecret": "replyby-tls",
            "annotations": {"nginx.ingress.kubernetes.io/proxy-body-size": "10m"},
        },
        "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy.example:3128"}],
        "podAnnotations": {"a": "b"}, "podLabels": {"c": "d"}, "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "k", "operator": "Exists", "effect": "NoSchedule"}],
        "priorityClassName": "high",
        "networkPolicy": {"metricsFrom": [FROM_MONITORING], "egressPorts": [443, 6432]},
        "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
        "dashboards": {"enabled": True, "annotations": {"folder": "replyby"}},
    },
    "a secret of one's own": {"secret": {"existing": "our-vault"}, "migrate": {"as": "none"}},
    "without hooks": {"migrate": {"as": "initContainer"}, "web": {"enabled": True}},
    "alone": {
        "replicaCount": 1, "podDisruptionBudget": {"enabled": False},
        "networkPolicy": {"enabled": False}, "fullnameOverride": "desk",
    },
}  # fmt: skip
WRONG = [
    ({"replicas": 3}, "replicas"),
    ({"replicaCount": 0}, "replicaCount"),
    ({"replicaCount": "two"}, "replicaCount"),
    ({"settings": ""}, "settings"),
    ({"settings": "no toml of ours"}, "settings"),
    ({"migrate": {"as": "cronjob"}}, "migrate"),
    ({"push": {"enabled": True}}, "publicUrl"),
    ({"push": {"enabled": True, "publicUrl": "push.example"}}, "publicUrl"),
    ({"ingress": {"enabled": True}}, "ingress"),
    ({"image": {"repository": "replyby:1.0"}}, "repository"),
    ({"secret": {"values": {"database_url": 5}}}, "database_url"),
    ({"resources": {"limits": {"memory": "much"}}}, "memory"),
    ({"terminationGracePeriodSeconds": 3}, "terminationGracePeriodSeconds"),
    ({"networkPolicy": {"egressPorts": [70_000]}}, "egressPorts"),
    ({"serviceMonitor": {"interval": "often"}}, "interval"),
    ({"extraEnv": [{"name": "NOT A NAME", "value": "x"}]}, "extraEnv"),
]


@pytest.fixture(scope="module")
def rendered():
    return {name: kubernetes.objects(values) for name, values in CASES.items()}


def kind(found, wanted, part=""):
    return [o for o in found if o["kind"] == wanted and o["metadata"]["name"].endswith(part)]


def pods(found):
    """Every pod that the objects make, with the object that makes it."""
    for one in kind(found, "Deployment") + kind(found, "Job"):
        yield one, one["spec"]["template"]["spec"]


def containers(found):
    for _, pod in pods(found):
        yield from (*pod.get("initContainers", ()), *pod["containers"])


@pytest.mark.parametrize("case", CASES)
def test_the_chart_has_no_finding(case):
    report = helm_python.lint(CHART, CASES[case], strict=True, kube_version=f"v{NEWEST}.0")

    assert report["errors"] == []
    assert [m["error"] for m in report["messages"]] == ["icon is recommended"]


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("case", CASES)
def test_every_object_is_valid(rendered, case, version):
    assert rendered[case]
    for one in rendered[case]:
        if one["kind"] in monitoring.SPECS:
            assert one["apiVersion"] == "monitoring.coreos.com/v1"
            jsonschema.validate(one["metadata"], monitoring.NAMED)
            jsonschema.validate(one["spec"], monitoring.SPECS[one["kind"]])
        else:
            kubernetes_validate.validate(one, version, strict=True)


def test_an_object_that_is_not_valid_is_found(rendered):
    (deployment,) = kind(rendered["defaults"], "Deployment")

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(
            {**deployment, "spec": {**deployment["spec"], "replicas": "two"}}, NEWEST, strict=True
        )


@pytest.mark.parametrize(("values", "said"), WRONG)
def test_wrong_values_are_refused_by_their_name(values, said):
    with pytest.raises(helm_python.HelmError, match=said):
        kubernetes.objects(values)


def test_every_value_is_in_the_schema_and_the_other_way_round():
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = json.loads((CHART / "values.schema.json").read_text())

    def keys(table, known, path=()):
        for key, part in known.get("properties", {}).items():
            if path or key != "global":
                assert key in table, (*path, key)
                if isinstance(table[key], dict):
                    keys(table[key], part, (*path, key))

    keys(values, schema)
    jsonschema.validate(values, schema)
    jsonschema.Draft7Validator.check_schema(schema)


@pytest.mark.parametrize("case", CASES)
def test_every_pod_may_run_where_pods_are_restricted(rendered, case):
    """What the restricted profile of the pod security standards asks for."""
    for _, pod in pods(rendered[case]):
        security = pod["securityContext"]
        assert security["runAsNonRoot"]
        assert str(security["runAsUser"]) == IMAGE.one("USER").split(":")[0]
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert {next(k for k in v if k != "name") for v in pod["volumes"]} <= {
            "configMap", "secret", "emptyDir",
        }  # fmt: skip
    for container in containers(rendered[case]):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("case", CASES)
def test_what_a_pod_mounts_is_made_or_is_the_secret_that_is_told(rendered, case):
    found = rendered[case]
    made = {(o["kind"], o["metadata"]["name"]) for o in found}
    theirs = CASES[case].get("secret", {}).get("existing") or found_name(case)
    for one, pod in pods(found):
        volumes = {v["name"]: v for v in pod["volumes"]}
        settings = ("ConfigMap", volumes["settings"]["configMap"]["name"])
        assert settings in made
        secret = ("Secret", volumes["credentials"]["secret"]["secretName"])
        assert secret in made or secret[1] == theirs
        for container in (*pod.get("initContainers", ()), *pod["containers"]):
            assert {m["name"] for m in container["volumeMounts"]} == volumes.keys()
        if one["kind"] == "Job":  # a hook runs before all that is no hook
            (config,) = kind(found, "ConfigMap", settings[1])
            assert int(hook(config)) < int(hook(one))


def found_name(case):
    return CASES[case].get("fullnameOverride", "replyby")


def hook(one):
    """The weight of a hook."""
    annotations = one["metadata"]["annotations"]
    assert annotations["helm.sh/hook"] == "pre-install,pre-upgrade"
    return annotations["helm.sh/hook-weight"]


def test_the_schema_is_brought_up_once_and_before_anything_else(rendered):
    def steps(case):
        found = rendered[case]
        inside = [p for o, p in pods(found) if "initContainers" in p]
        return len(kind(found, "Job")), len(inside)

    assert {case: steps(case) for case in CASES} == {
        "defaults": (1, 0), "all on": (1, 0), "a secret of one's own": (0, 0),
        "without hooks": (0, 1), "alone": (1, 0),
    }  # fmt: skip
    (job,) = kind(rendered["defaults"], "Job")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["args"] == ["migrate"]


@pytest.mark.parametrize("case", CASES)
def test_the_daemon_is_asked_by_its_own_paths_and_has_time_to_hand_back(rendered, case):
    (deployment,) = kind(rendered[case], "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    (daemon,) = pod["containers"]

    assert daemon["args"] == ["run"]
    asked = {n: daemon[f"{n}Probe"]["httpGet"]["path"] for n in ("startup", "liveness")}
    assert {*asked.values()} == {"/livez"}
    assert daemon["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "ops"}
    assert pod["terminationGracePeriodSeconds"] > 2 * (crew.GRACE + signals.LAST)
    ports = {p["name"]: p["containerPort"] for p in daemon["ports"]}
    assert {str(port) for port in ports.values()} <= {*IMAGE.one("EXPOSE").split()}
    for service in kind(rendered[case], "Service"):
        (port,) = service["spec"]["ports"]
        assert port["port"] == ports[port["targetPort"]]
        assert (
            service["spec"]["selector"].items()
            <= deployment["spec"]["template"]["metadata"]["labels"].items()
        )


def test_two_daemons_are_never_evicted_at_once_nor_gone_during_an_upgrade(rendered):
    (deployment,) = kind(rendered["defaults"], "Deployment")
    (budget,) = kind(rendered["defaults"], "PodDisruptionBudget")

    assert deployment["spec"]["replicas"] == 2
    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert budget["spec"]["maxUnavailable"] == 1
    assert budget["spec"]["selector"] == deployment["spec"]["selector"]
    assert kind(rendered["alone"], "PodDisruptionBudget") == []


@pytest.mark.parametrize("case", CASES)
def test_a_daemon_is_told_how_many_are_to_run(rendered, case):
    """Else one of two that is away is missed by no alert."""
    (deployment,) = kind(rendered[case], "Deployment")
    (daemon,) = deployment["spec"]["template"]["spec"]["containers"]
    told = {one["name"]: one.get("value") for one in daemon["env"]}

    assert told["REPLYBY_OPS__WORKERS"] == str(deployment["spec"]["replicas"])


def test_the_network_lets_in_what_is_served_and_nothing_else(rendered):
    def let_in(case):
        (policy,) = kind(rendered[case], "NetworkPolicy")
        return {r["ports"][0]["port"]: r["from"] for r in policy["spec"]["ingress"]}

    assert let_in("defaults") == {"ops": [{"namespaceSelector": {}}]}
    assert let_in("all on").keys() == {"ops", "push", "web"}
    assert let_in("all on")["ops"] == [FROM_MONITORING]
    (policy,) = kind(rendered["all on"], "NetworkPolicy")
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert [p["port"] for r in policy["spec"]["egress"] for p in r["ports"]] == [53, 53, 443, 6432]


def test_what_is_not_ready_is_scraped_all_the_same_under_the_job_that_the_rules_know(rendered):
    found = rendered["all on"]
    (monitor,) = kind(found, "ServiceMonitor")
    (service,) = kind(found, "Service", "-ops")
    prometheus = yaml.safe_load((RULES / "prometheus.yml").read_text())

    assert service["spec"]["publishNotReadyAddresses"]
    labels = service["metadata"]["labels"]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert labels[monitor["spec"]["jobLabel"]] in [
        job["job_name"] for job in prometheus["scrape_configs"]
    ]
    others = kind(found, "Service", "-web") + kind(found, "Service", "-push")
    assert not [
        o for o in others
        if monitor["spec"]["selector"]["matchLabels"].items() <= o["metadata"]["labels"].items()
    ]  # fmt: skip


def test_the_rules_of_the_chart_are_prometheus_own_word_for_word(rendered):
    for name in ("alerts", "recording"):
        (rule,) = kind(rendered["all on"], "PrometheusRule", name)
        assert rule["spec"] == yaml.safe_load((RULES / f"{name}.yml").read_text())
        assert rule["metadata"]["labels"]["release"] == "prometheus"
    loaded = yaml.safe_load((RULES / "prometheus.yml").read_text())["rule_files"]
    assert {*loaded} == {path.name for path in (CHART / "files" / "rules").iterdir()}
    assert kind(rendered["defaults"], "PrometheusRule") == []


def test_the_dashboards_of_the_chart_are_grafanas_own(rendered):
    shipped = {path.name: path.read_text() for path in DASHBOARDS.glob("*.json")}
    assert shipped
    made = kind(rendered["all on"], "ConfigMap")
    boards = [o for o in made if "grafana_dashboard" in o["metadata"]["labels"]]

    assert {key for o in boards for key in o["data"]} == shipped.keys()
    for one in boards:
        ((name, text),) = one["data"].items()
        assert json.loads(text) == json.loads(shipped[name])
        assert len(text) < 1_000_000  # an object of Kubernetes


def test_an_ingress_leads_to_what_it_names(rendered):
    (ingress,) = kind(rendered["all on"], "Ingress")
    services = {o["metadata"]["name"] for o in kind(rendered["all on"], "Service")}

    paths = {r["host"]: r["http"]["paths"][0] for r in ingress["spec"]["rules"]}
    assert {host: p["path"] for host, p in paths.items()} == {
        "push.replyby.example": "/push/", "replyby.example": "/",
    }  # fmt: skip
    assert {p["backend"]["service"]["name"] for p in paths.values()} <= services
    assert ingress["spec"]["tls"][0]["hosts"] == sorted(paths)


@pytest.mark.parametrize("case", ["defaults", "all on"])
def test_the_program_takes_the_settings_and_every_variable(rendered, case, tmp_path):
    (config,) = kind(rendered[case], "ConfigMap", found_name(case))
    text = config["data"]["settings.toml"]
    (tmp_path / "settings.toml").write_text(COMMENTED.sub("", text) if case == "all on" else text)
    given = {
        "database_url": "postgresql://u:p@db/x", "desk_url": "https://chat.example/hook",
        "conrad_key": "k3y-of-conrad",
    }  # fmt: skip
    for name, secret in given.items():
        (tmp_path / name).write_text(secret)
        (tmp_path / name).chmod(0o400)
    (deployment,) = kind(rendered[case], "Deployment")
    (daemon,) = deployment["spec"]["template"]["spec"]["containers"]
    told = {e["name"]: e["value"] for e in daemon["env"] if e["name"].startswith("REPLYBY_")}
    environ = {
        **os.environ, **told, "REPLYBY_SETTINGS": str(tmp_path / "settings.toml"),
        "CREDENTIALS_DIRECTORY": str(tmp_path),
    }  # fmt: skip

    done = subprocess.run(
        [sys.executable, "-m", "core", "check", "--offline"],
        cwd=ROOT, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip

    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    warned = re.findall(r"(?m)^warning: ([\w.]+):", said)
    assert warned == (["push.listen"] if case == "all on" else ["accounts"]), said


def test_the_settings_of_a_pod_are_found_where_the_image_looks(rendered):
    (deployment,) = kind(rendered["defaults"], "Deployment")
    (daemon,) = deployment["spec"]["template"]["spec"]["containers"]
    mounts = {m["name"]: m["mountPath"] for m in daemon["volumeMounts"]}

    assert f"{mounts['settings']}/settings.toml" == IMAGE.pairs("ENV")["REPLYBY_SETTINGS"]
    assert json.loads(IMAGE.one("VOLUME")) == [mounts["state"]]


def test_a_changed_setting_is_another_pod(rendered):
    def mark(values):
        (deployment,) = kind(kubernetes.objects(values), "Deployment")
        return deployment["spec"]["template"]["metadata"]["annotations"]

    settings = yaml.safe_load((CHART / "values.yaml").read_text())["settings"]
    assert mark({}) == mark({"replicaCount": 5})
    assert mark({}) != mark({"settings": f"{settings}\n# changed\n"})
    one, other = ({"secret": {"values": {"database_url": v}}} for v in "ab")
    assert mark(one) != mark(other)


def test_the_notes_say_what_is_missing():
    with helm_python.Chart.load(CHART) as chart:
        notes = {
            name: chart.render(values, name="r", namespace="shop")["replyby/templates/NOTES.txt"]
            for name, values in CASES.items()
        }

    assert "-n shop create secret generic r-replyby" in notes["defaults"]
    assert "create secret" not in notes["a secret of one's own"]
    assert "Nobody scrapes them yet" not in notes["all on"]


def test_the_chart_is_of_the_programs_version():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    (version,) = re.findall(r'(?m)^version = "(.+)"', (ROOT / "pyproject.toml").read_text())

    assert (chart["version"], chart["appVersion"]) == (version, version)


def test_the_plain_manifest_is_what_the_chart_renders():
    """Mended by `python -m deploy.kubernetes`."""
    assert kubernetes.MANIFEST.read_text() == kubernetes.manifest()


def test_the_plain_manifest_needs_no_helm_and_no_operator():
    found = list(yaml.safe_load_all(kubernetes.MANIFEST.read_text()))

    assert {one["kind"] for one in found} == {
        "ConfigMap", "Deployment", "NetworkPolicy", "PodDisruptionBudget", "Service",
        "ServiceAccount",
    }  # fmt: skip
    assert "helm" not in json.dumps(found).lower()
    for one in found:
        kubernetes_validate.validate(one, NEWEST, strict=True)


@pytest.mark.parametrize("path", sorted((CHART / "files").glob("*/*")), ids=lambda p: p.name)
def test_what_the_chart_carries_is_a_link_to_the_one_source(path):
    assert path.is_symlink()
    assert not path.readlink().is_absolute()
    assert ROOT / "deploy" in path.resolve().parents
