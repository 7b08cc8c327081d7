zones = ["eu-central-1a"]
