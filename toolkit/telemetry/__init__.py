"""The write side of the record: what a run did, from the span to the locked bucket.

    agent, pydantic-ai ──spans──▶ run.RunTelemetry        one per run, with a tracer provider of its own
                                    │ recorder, otlp      a finished span becomes OTLP-JSON at once
                                    │ redact, leaving     without secrets; where so set, without content
                                    │ contents            long texts move out, each stored once a run
                                    │ record              spans and texts are packed into chained lines
                                    ▼
                                  sink.FirehoseSink ──▶ Firehose ──▶ audit bucket (Object Lock)
                                    │                     └─ refused: audit bucket, `fallback/`
                                    └──────────────▶ runs bucket, beside the artifacts, at once

Beside it, where it is set: `export` sends the same spans by OTLP, and `metrics` tells CloudWatch the numbers
that `counts` has counted. `restore` puts the texts back for the reader; `logs` is the function's own log.
`names` holds the attribute names and `keys` the object keys; `toolkit.traces` reads by them. Nothing is
imported here, because the reader must not pay for the OpenTelemetry SDK.
"""
