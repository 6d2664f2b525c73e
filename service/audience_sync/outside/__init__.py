"""Those whom we talk to, as the settings name them: where they are, and how we prove who we are."""
