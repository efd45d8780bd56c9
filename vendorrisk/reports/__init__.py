"""The report: composed from the domain (compose) as frozen plain values (view), rendered in a child process (pdf)."""
