"""Other people's formats: OpenSLO documents, answers of Prometheus."""
