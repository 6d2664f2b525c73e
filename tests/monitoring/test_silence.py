"""No alert calls a person in an hour as most are."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any, Final

from tests.monitoring.everyday import HOUR_SECONDS, SCRAPE_SECONDS, Scraped, Scrapes
from tests.support.prometheus import ALERTS, shipped_rules

NAMES: Final = [rule["alert"] for rule in shipped_rules()]
EVERY_MINUTE: Final = range(1, HOUR_SECONDS // 60 + 1)


def judged(promtool: str, scraped: Scraped, folder: Path) -> subprocess.CompletedProcess[str]:
    """What promtool says to it that no alert ever fires, looked at each minute."""
    asked = set(re.findall(r"audience_sync_\w+", ALERTS.read_text()))
    assert {series.name for series in scraped} >= asked
    test: dict[str, Any] = {
        "interval": f"{SCRAPE_SECONDS}s",
        "input_series": [
            {
                "series": series.text(),
                "values": " ".join("_" if value is None else f"{value:g}" for value in values),
            }
            for series, values in scraped.items()
            if series.name in asked
        ],
        "alert_rule_test": [
            {"alertname": name, "eval_time": f"{minute}m"} for name in NAMES for minute in EVERY_MINUTE
        ],
    }
    (folder / "alerts.yaml").write_text(ALERTS.read_text())
    told = {"rule_files": ["alerts.yaml"], "evaluation_interval": f"{SCRAPE_SECONDS}s", "tests": [test]}
    (folder / "hour.yaml").write_text(json.dumps(told))
    return subprocess.run(
        [promtool, "test", "rules", folder / "hour.yaml"], capture_output=True, text=True, check=False
    )


def test_no_alert_fires_in_an_hour_as_most_are(promtool: str, hour: Scrapes, tmp_path: Path) -> None:
    """Three replicas worked, each was restarted once, the API was slow for a while and lost some answers.

    Prometheus scraped them each quarter of a minute.
    At no full minute did any alert fire.
    """
    done = judged(promtool, hour.scraped(), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_same_hour_is_not_silent_once_something_is_wrong(
    promtool: str, hour: Scrapes, tmp_path: Path
) -> None:
    """Else silence would prove nothing: one more series says that delivery has stopped."""
    scraped = hour.scraped()
    stopped = next(series for series in scraped if series.name == "audience_sync_stopped")
    scraped[stopped] = [1.0] * len(scraped[stopped])
    done = judged(promtool, scraped, tmp_path)
    assert done.returncode != 0
    assert "AudienceSyncStopped" in done.stdout + done.stderr
