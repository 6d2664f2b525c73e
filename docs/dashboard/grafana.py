"""The dashboard as Grafana reads it: provisioned from a file, or brought along by the chart."""

from typing import Any, Final

from docs.dashboard.panels import ROWS, Panel

COLUMNS: Final = 24
"""How wide Grafana's grid is."""

FIGURE_HEIGHT: Final = 4
LINES_HEIGHT: Final = 8

SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}


def dashboard() -> dict[str, Any]:
    """What the file holds, ready for JSON."""
    panels: list[dict[str, Any]] = []
    top = 0
    for row in ROWS:
        panels.append(
            {
                "id": len(panels) + 1,
                "type": "row",
                "title": row.question,
                "collapsed": False,
                "panels": [],
                "gridPos": {"x": 0, "y": top, "w": COLUMNS, "h": 1},
            }
        )
        top += 1
        across = row.across
        height = FIGURE_HEIGHT if row.is_of_figures else LINES_HEIGHT
        width = COLUMNS // across
        for index, panel in enumerate(row.panels):
            place = {
                "x": index % across * width,
                "y": top + index // across * height,
                "w": width,
                "h": height,
            }
            panels.append(_panel(panel, len(panels) + 1, place))
        top += -(-len(row.panels) // across) * height
    return {
        "uid": "audience-sync",
        "title": "audience-sync",
        "description": "Domain events into attributes and tags: is the audience in step, and what is in the way?",
        "tags": ["audience-sync", "kafka"],
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": _variables()},
        "annotations": {"list": []},
        "panels": panels,
    }


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.bad_from is not None:
        steps.append({"color": "red", "value": panel.bad_from})
    defaults: dict[str, Any] = {
        "unit": panel.unit,
        "min": 0,
        "thresholds": {"mode": "absolute", "steps": steps},
    }
    if not panel.is_figure:
        defaults["color"] = {"mode": "palette-classic"}
        defaults["custom"] = {"drawStyle": "line", "fillOpacity": 8, "lineWidth": 1, "showPoints": "never"}
    options: dict[str, Any] = (
        {"colorMode": "value", "graphMode": "area", "reduceOptions": {"calcs": ["lastNotNull"]}}
        if panel.is_figure
        else {
            "legend": {"displayMode": "list", "placement": "bottom"},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    )
    return {
        "id": number,
        "type": "stat" if panel.is_figure else "timeseries",
        "title": panel.title,
        "description": panel.says,
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options,
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": SOURCE,
                "expr": query.expression,
                "legendFormat": query.legend or "__auto",
            }
            for index, query in enumerate(panel.queries)
        ],
    }


def _variables() -> list[dict[str, Any]]:
    source = {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    return [source, *(_variable(name) for name in ("namespace", "job"))]


def _variable(name: str) -> dict[str, Any]:
    """All values that the label has; all of them are chosen at first."""
    question = f"label_values(audience_sync_ready, {name})"
    return {
        "name": name,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": question, "refId": name},
        "definition": question,
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }
