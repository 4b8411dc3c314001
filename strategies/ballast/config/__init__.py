"""The settings schema: the `ballast` section of config.json, every default and range."""
