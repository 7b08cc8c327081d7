stage    = "dev"
log_days = 7
