"""A believable week of a fictional company's agents, sent to a real server by stock OpenTelemetry: `make demo`."""
