"""The dashboard: what it shows (`panels`), as Grafana wants it (`grafana`), and as a picture (`picture`)."""
