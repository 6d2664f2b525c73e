"""What the admin port serves: metrics, probes, status."""
