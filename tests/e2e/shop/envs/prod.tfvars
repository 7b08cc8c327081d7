stage    = "prod"
log_days = 365
