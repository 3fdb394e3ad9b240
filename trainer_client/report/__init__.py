"""The report: one self-contained HTML page of a run, made by `trainer_client.report.page`."""
