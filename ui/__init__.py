"""What people look at."""

import os

# Gradio reads both when it is imported: no telemetry, and no question for a newer version.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
