"""The CAs that tests and demonstrations run, and what stands between them and a client."""
