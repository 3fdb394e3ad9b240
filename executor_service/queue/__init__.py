"""The job queue between the API and its workers: RQ over Redis, with results on streams."""
