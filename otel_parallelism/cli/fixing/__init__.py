"""From a finding of a report to a change of the program's source."""
