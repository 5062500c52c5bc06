"""What runs the service elsewhere: manifests, dashboard, alerts.

`python -m deploy.generate` writes what is generated: the dashboard and the rules as the Prometheus operator takes them.
"""
