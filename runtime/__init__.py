"""What every process stands on: settings, logs, bus, service life, the agents' engine. Knows no resource."""
