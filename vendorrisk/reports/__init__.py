"""The report: a frozen view of plain values (view), composed from the domain (compose), rendered in a child process (pdf)."""
