"""nbgrader's gradebook on this computer and the roster in the service, side by side."""
