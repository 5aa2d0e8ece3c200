# One line per benchmark or load tool.
