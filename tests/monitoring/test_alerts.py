"""The shipped alerts: each fires on made-up series when it should, asks for what is measured, and has its page."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

from tests.support.prometheus import ALERTS, shipped_alerts, shipped_rules

ROOT: Final = Path(__file__).parents[2]
RUNBOOK: Final = ROOT / "docs" / "runbook"
RULES: Final[list[dict[str, Any]]] = shipped_rules()
NAMES: Final = [rule["alert"] for rule in RULES]


def test_each_fires_when_its_series_say_so_and_not_before(promtool: str, tmp_path: Path) -> None:
    """As promtool judges `alerts.yaml` beside this file. Texts are for people, so they are left out."""
    rules = shipped_alerts()
    for group in rules["groups"]:
        for rule in group["rules"]:
            del rule["annotations"]
    (tmp_path / "shipped.yaml").write_text(json.dumps(rules))
    told = YAML(typ="safe").load((Path(__file__).parent / "alerts.yaml").read_text())
    told["rule_files"] = ["shipped.yaml"]
    (tmp_path / "alerts.yaml").write_text(json.dumps(told))
    done = subprocess.run(
        [promtool, "test", "rules", tmp_path / "alerts.yaml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    fired = {
        test["alertname"]
        for each in told["tests"]
        for test in each["alert_rule_test"]
        if "exp_alerts" in test
    }
    assert fired == set(NAMES)


def test_promtool_finds_nothing_wrong(promtool: str) -> None:
    """Its linter included."""
    done = subprocess.run(
        [promtool, "check", "rules", "--lint=all", "--lint-fatal", ALERTS],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_what_an_alert_asks_for_is_measured(
    rule: dict[str, Any], served: dict[str, list[dict[str, str]]]
) -> None:
    """Each series exists from the start, with the label's value that the alert names."""
    asked = re.findall(r"(audience_sync_\w+)(?:\{(\w+)(=~|!=|=)\"([^\"]+)\"\})?", rule["expr"])
    assert asked
    for name, label, comparison, value in asked:
        assert name in served
        if label and comparison == "=~":
            assert any(re.fullmatch(value, labels[label]) for labels in served[name])
        elif label:
            assert any(labels[label] == value for labels in served[name])


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_each_alert_has_its_page(rule: dict[str, Any]) -> None:
    """It begins with the alert's name, says whether anything is lost, what to do, and when it is over."""
    page = ROOT / rule["annotations"]["runbook"]
    text = page.read_text()
    assert text.startswith(f"# {rule['alert']}\n")
    assert "**Do**" in text or " do |" in text
    for part in ("**Look first**", "**Over when**"):
        assert part in text
    assert "**Is anything lost?**" in text or rule["alert"] == "AudienceSyncRecordsLost"
    severity, summary = rule["labels"]["severity"], rule["annotations"]["summary"]
    assert severity in ("critical", "warning")
    index = (RUNBOOK / "README.md").read_text()
    assert f"| [{rule['alert']}]({page.name}) | {severity} | {summary} |" in index


def test_there_is_no_page_without_an_alert() -> None:
    """Else somebody would look for it."""
    pages = {f"docs/runbook/{page.name}" for page in RUNBOOK.glob("*.md")} - {"docs/runbook/README.md"}
    assert pages == {rule["annotations"]["runbook"] for rule in RULES}
