from hypothesis import HealthCheck, settings

# `pytest --hypothesis-profile=slow` looks at more examples; CI takes the default
settings.register_profile(
    "ci", max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
settings.register_profile("slow", max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("ci")
