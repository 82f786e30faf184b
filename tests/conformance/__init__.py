"""What Sigma rules mean, compared with an engine that shares nothing with this one."""
